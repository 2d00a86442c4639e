import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import type { RunEvent } from '@cairn/domain-run';
import { idOf, runStream, type Id, type JsonObject } from '@cairn/kernel';
import { StoreFault } from '@cairn/ports';
import { waitUntil } from '@cairn/testkit';
import { history, told, waitId } from './spec/histories.js';
import { openRig, TOKEN, type Rig } from './spec/rig.js';

const RUN: Id = idOf('run', 'default', 'w', 'V-1');

describe('what the gateway shows of runs', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await openRig();
  });
  afterEach(() => rig.close());

  /** Appends further events to a run. */
  async function happens(run: Id, ...events: readonly RunEvent[]): Promise<void> {
    const before = await rig.store.read(runStream(run, 'main'));
    const stored = history(run, events, before.length, before.at(-1)?.metadata.hash);
    for (const event of stored) await rig.store.append(event.stream, event.revision === 0 ? 'no_stream' : event.revision - 1, [event]);
  }
  const get = async (path: string): Promise<JsonObject> => (await rig.send({ path: `/v1/default/${path}` })).json;

  /** The list follows the store's tail. */
  function listed(path: string, holds: (items: readonly JsonObject[]) => boolean): Promise<readonly JsonObject[]> {
    return waitUntil(`${path} holds`, async () => {
      const items = (await get(path))['items'] as readonly JsonObject[];
      return holds(items) ? items : undefined;
    });
  }

  it('reads its own writes: a run is shown as it is the moment its append is acknowledged', async () => {
    await happens(RUN, told.started('w', 'V-1'));
    expect(await get(`runs/${RUN}`)).toMatchObject({
      run: RUN,
      workflow: 'w',
      version: '1.0.0',
      key: 'V-1',
      goal: 'to be done',
      state: 'active',
      head: 'main',
      revision: 0,
      attributes: { vendor: 'V-1' },
      flags: [],
    });
    await happens(RUN, told.stepStarted('a'), told.failed('a'), told.decided('a', 1, 'block'));
    expect(await get(`runs/${RUN}`)).toMatchObject({ state: 'blocked', sub: 'awaiting_decision', revision: 3 });
  });

  it('does not show the runs of another namespace', async () => {
    await happens(RUN, told.started());
    const got = await rig.send({ path: `/v1/acme/runs/${RUN}` });
    expect([got.status, got.json['code']]).toEqual([404, 'run_not_found']);
  });

  it('folds the state as of a revision, and says when there is none', async () => {
    await happens(RUN, told.started(), told.stepStarted('a'), told.succeeded('a'));
    expect(await get(`runs/${RUN}/state?at=main@1`)).toMatchObject({
      run: RUN,
      branch: 'main',
      revision: 1,
      path: { steps: { a: { status: 'active' } } },
    });
    expect(await get(`runs/${RUN}/state`)).toMatchObject({
      revision: 2,
      path: { steps: { a: { status: 'succeeded', output: { done: 'a' } } } },
      stateDigest: expect.any(String),
    });
    expect(await get(`runs/${RUN}/state?at=main@9`)).toMatchObject({ status: 404, code: 'revision_not_found' });
    expect(await get(`runs/${RUN}/state?at=b2@1`)).toMatchObject({ status: 404, code: 'branch_not_found' });
  });

  it('gives the history in pages that join', async () => {
    await happens(RUN, told.started(), told.stepStarted('a'), told.succeeded('a'));
    const first = await get(`runs/${RUN}/history?limit=2`);
    expect(first).toMatchObject({
      run: RUN,
      next: 2,
      branches: [
        {
          branch: 'main',
          events: [
            { type: 'RunStarted', revision: 0 },
            { type: 'StepStarted', revision: 1 },
          ],
        },
      ],
    });
    const second = await get(`runs/${RUN}/history?from=2&limit=2`);
    expect(second['next']).toBeUndefined();
    expect(second).toMatchObject({
      branches: [{ events: [{ type: 'StepSucceeded', revision: 2, metadata: { prevHash: expect.any(String) } }] }],
    });
  });

  it('lists newest first, by state and by tail, in pages that neither repeat nor skip', async () => {
    const runs = Array.from({ length: 5 }, (_, i) => idOf('run', 'default', 'w', `k${i}`));
    for (const run of runs) await happens(run, told.started(), told.stepStarted('a'));
    await happens(runs[0]!, told.succeeded('a'), told.completed('x'));
    await listed('runs?state=active', (items) => items.length === 4);

    const first = await get('runs?limit=3');
    const second = await get(`runs?limit=3&cursor=${String(first['cursor'])}`);
    const seen = [...(first['items'] as readonly JsonObject[]), ...(second['items'] as readonly JsonObject[])].map(({ run }) => run);
    expect(seen).toEqual(runs.toReversed());
    expect(second['cursor']).toBeUndefined();
    expect((await get('runs?state=complete'))['items']).toMatchObject([{ run: runs[0], sub: 'succeeded' }]);
    expect((await get(`runs?tail=${runs[2]!.slice(-8)}`))['items']).toMatchObject([{ run: runs[2] }]);
    expect((await get('runs?workflow=other'))['items']).toEqual([]);
  });

  it('shows waits while they are open, and each by its id for ever', async () => {
    await happens(RUN, told.started(), told.waitOpened(RUN, 'documents'));
    const [open] = await listed('waits?type=dms.document.received', (items) => items.length === 1);
    expect(open).toMatchObject({
      wait: waitId(RUN, 'documents'),
      run: RUN,
      step: 'documents',
      state: 'open',
      triggers: [{ kind: 'event', key: 'V-1' }],
    });
    expect((await get('waits?type=other.type'))['items']).toEqual([]);

    await happens(RUN, told.waitTriggered(RUN, 'documents'), told.waitSatisfied(RUN, 'documents'));
    await listed('waits', (items) => items.length === 0);
    expect(await get(`waits/${waitId(RUN, 'documents')}`)).toMatchObject({ state: 'satisfied', got: [{ trigger: 0 }] });
    expect((await get(`runs/${RUN}/waits`))['items']).toMatchObject([{ step: 'documents', state: 'satisfied' }]);
    expect(await get(`waits/${waitId(RUN, 'nothing')}`)).toMatchObject({ status: 404, code: 'wait_not_found' });
  });

  it('holds a question for the result until the run ends (C-ASYNC)', async () => {
    await happens(RUN, told.started(), told.stepStarted('a'));
    expect(await get(`runs/${RUN}/result`)).toEqual({ run: RUN, state: 'active' });
    const answer = get(`runs/${RUN}/result?waitMs=20000`);
    await happens(RUN, told.succeeded('a'), told.completed('the answer'));
    expect(await answer).toEqual({ run: RUN, state: 'complete', outcome: 'succeeded', output: 'the answer' });
  });

  it('names what is broken in a history', async () => {
    await happens(RUN, told.started(), told.succeeded('never-started'));
    const { violations } = await get(`runs/${RUN}/verify`);
    expect((violations as readonly JsonObject[]).map(({ invariant }) => invariant)).toContain('I-10');
  });

  it('names the revision at which a stream cannot be read, and does not say that trying again would help (F-29)', async () => {
    await happens(RUN, told.started(), told.stepStarted('a'));
    const says = `run-${RUN}+main@1: what is stored is no event`;
    Object.assign(rig.store, { read: () => Promise.reject(new StoreFault('stream_corrupt', says)) });
    expect(await get(`runs/${RUN}/verify`)).toEqual({ run: RUN, violations: [{ invariant: 'I-1', branch: 'main', revision: 1, says }] });
    for (const path of ['', '/history', '/state'])
      expect(await get(`runs/${RUN}${path}`)).toMatchObject({ status: 500, code: 'stream_corrupt', detail: says });
  });

  it('streams every event once, from where the reader was, and ends with the run', async () => {
    await happens(RUN, told.started(), told.stepStarted('a'));
    const [text, opened] = stream(rig.port, RUN, { 'last-event-id': '0' });
    await opened;
    await happens(RUN, told.succeeded('a'), told.completed('x'));
    const messages = (await text).split('\n\n').filter((message) => message.startsWith('id:'));
    expect(messages.map((message) => message.split('\n').slice(0, 2))).toEqual([
      ['id: 1', 'event: StepStarted'],
      ['id: 2', 'event: StepSucceeded'],
      ['id: 3', 'event: RunCompleted'],
    ]);
    expect(JSON.parse(messages[2]?.split('\ndata: ')[1] ?? '')).toMatchObject({ type: 'RunCompleted', revision: 3, data: { output: 'x' } });
  });

  it('refuses to resume a stream at what is no revision', async () => {
    const got = await rig.send({ path: `/v1/default/runs/${RUN}/stream`, headers: { 'last-event-id': '9'.repeat(400) } });
    expect([got.status, got.json['code']]).toEqual([400, 'invalid_query']);
  });
});

/** Reads a stream to its end; the second promise resolves at its first bytes. */
function stream(port: number, run: Id, headers: Record<string, string>): [text: Promise<string>, opened: Promise<void>] {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const text = new Promise<string>((resolve, reject) => {
    const asking = request(
      { host: '127.0.0.1', port, path: `/v1/default/runs/${run}/stream`, headers: { authorization: `Bearer ${TOKEN}`, ...headers } },
      (response) => {
        let read = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          read += chunk;
          open();
        });
        response.on('end', () => resolve(read));
        response.on('error', reject);
      },
    );
    asking.on('error', reject);
    asking.end();
  });
  return [text, opened];
}
