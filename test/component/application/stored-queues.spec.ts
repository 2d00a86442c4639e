import { describe, expect, it } from '@jest/globals';
import { queuesOf, storedQueues } from '@cairn/application';
import { createMemoryEventStore } from '@cairn/event-store-memory';
import { canon, sealAppend, workflowStream, type JsonObject } from '@cairn/kernel';

const definition = (...queues: readonly string[]): JsonObject => ({
  steps: [
    ...queues.map((queue, i) => ({ id: `s${i}`, task: { queue } })),
    { id: 'wait', wait: {} },
    { id: 'pay', effect: { queue: 'paying' } },
  ],
});

describe('the queues of stored definitions', () => {
  it('are those of tasks and effects, each once', () => {
    expect(queuesOf(definition('a', 'b', 'a'))).toEqual(['a', 'b', 'paying']);
    expect(queuesOf({})).toEqual([]);
  });

  it('and those of every alternative that a step declares, and of reduced paths: one that no consumer serves would be a dead end', () => {
    const steps = [
      { id: 'a', task: { queue: 'a' }, fallback: [{ queue: 'b' }, { queue: 'a', params: { mode: 'slow' } }] },
      { id: 'pay', effect: { queue: 'bank' }, fallback: [{ queue: 'other-bank' }] },
    ];
    expect(queuesOf({ steps })).toEqual(['a', 'b', 'bank', 'other-bank']);
    expect(
      queuesOf({ steps, reduced: [{ id: 'less', drops: ['a'], steps: [{ id: 'c', task: { queue: 'c' } }], summary: 'x' }] }),
    ).toContain('c');
  });

  it('are those of every version and namespace, also of definitions that an artifact holds; a lost artifact is a fault', async () => {
    const store = createMemoryEventStore();
    const blobs = new Map([['f'.repeat(64), Buffer.from(canon(definition('large')))]]);
    const artifacts = { get: (sha256: string) => Promise.resolve(blobs.get(sha256)) };
    const apply = async (ns: string, name: string, data: JsonObject): Promise<void> => {
      const stream = workflowStream(ns, name);
      const last = (await store.read(stream)).at(-1);
      const expected = last?.revision ?? 'no_stream';
      const context = {
        stream,
        expected,
        prevHash: last?.metadata.hash ?? '',
        ns,
        at: '2026-11-24T10:00:00.000Z',
        actor: 'user:spec',
        causationId: 'x',
      } as const;
      await store.append(stream, expected, sealAppend(context, [{ type: 'DefinitionApplied', version: 1, data: { ns, name, ...data } }]));
    };
    expect(await storedQueues(store, artifacts)).toEqual([]);
    await apply('default', 'w', { definition: definition('old') });
    await apply('default', 'w', { definition: definition('new') });
    await apply('acme', 'w', { definitionRef: { artifact: `sha256:${'f'.repeat(64)}` } });
    expect((await storedQueues(store, artifacts)).map(({ ns, queue }) => `${ns}/${queue}`)).toEqual([
      'acme/large',
      'acme/paying',
      'default/new',
      'default/old',
      'default/paying',
    ]);
    blobs.clear();
    await expect(storedQueues(store, artifacts)).rejects.toMatchObject({ code: 'artifact_corrupt' });
  });
});
