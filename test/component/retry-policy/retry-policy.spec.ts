import { describe, expect, it } from '@jest/globals';
import { subjects } from '@cairn/contracts';
import { policyStream } from '@cairn/kernel';
import { httpPolicy, NS, RetryWorld, RUN, startedWorld } from './retry-world.js';

describe('retry-policy judges', () => {
  it('a lost handler: another one is tried, with the failure as the cause and the policy pinned', async () => {
    const world = await startedWorld();
    const failed = await world.fail({ by: 'lease' });
    await world.pass(1_000);
    expect(world.commands).toMatchObject([
      {
        type: 'ApplyRetryDecision',
        runId: RUN,
        causationId: failed.eventId,
        actor: 'policy:default@1',
        data: {
          step: 'work',
          attemptId: failed.data['attemptId'],
          decision: 'retry',
          policy: { name: 'default', version: 1, revision: 0 },
        },
      },
    ]);
    const notBefore = String(world.commands[0]?.data['notBefore']);
    expect(notBefore >= '2026-01-01T00:00:00.100Z' && notBefore <= '2026-01-01T00:00:00.120Z').toBe(true);
  });

  it('by what the history says: the attempts of the step, what they have shown, all failures of the run', async () => {
    const world = await startedWorld({ perRun: 4 });
    for (const failure of [{ code: '503' }, { code: '503' }, { code: '502' }, { code: '503' }]) {
      await world.fail({ by: 'handler', ...failure });
      await world.pass(1_000);
    }
    await world.fail({ by: 'timeout' }, 'ask');
    await world.pass(1_000);
    expect(world.decided).toEqual([
      ['retry', 'default@1#upstream_5xx'],
      ['retry', 'default@1#upstream_5xx'],
      ['retry', 'default@1#upstream_5xx'],
      ['escalate', 'default@1#upstream_5xx; attempts 4 of 4'],
      ['give_up', 'http@1#timeout; perRun 5 of 4'],
    ]);
    const shown = world.commands.map(({ data }) =>
      (data['justification'] as { newEvidence: { code?: string }[] }).newEvidence.map(({ code }) => code),
    );
    expect(shown).toEqual([['503'], [], ['502'], [], ['timeout']]);
  });

  it('by the version that the run pinned, never by a newer one', async () => {
    const world = await startedWorld();
    expect(await world.ask('http', httpPolicy(9))).toMatchObject({ kind: 'applied', version: 2, revision: 1 });
    await world.fail({ by: 'timeout' }, 'ask');
    await world.pass(1_000);
    await world.fail({ by: 'timeout' }, 'ask');
    await world.pass(1_000);
    expect(world.decided).toEqual([
      ['retry', 'http@1#timeout'],
      ['give_up', 'http@1#timeout; attempts 2 of 2'],
    ]);
  });

  it('an effect by its guarantee', async () => {
    const world = await startedWorld();
    await world.fail({ by: 'lease', sideEffect: 'unknown' }, 'pay');
    await world.fail({ by: 'lease', sideEffect: 'unknown' }, 'book');
    await world.pass(1_000);
    expect(world.commands.map(({ data }) => [data['step'], data['decision'], data['bucket']])).toEqual([
      ['pay', 'block', 'effect_unknown'],
      ['book', 'retry', 'handler_lost'],
    ]);
  });

  it('over all branches: declared alternatives one after the other, their tries counted anew, then a reduced path', async () => {
    const world = await startedWorld({ usd: 1 });
    const fail = async (usd: number): Promise<void> => {
      await world.fail({ by: 'timeout' }, 'read', { usd });
      await world.pass(1_000);
    };
    await fail(0.2);
    await fail(0.2);
    await world.openBranch('b2');
    await fail(0.2);
    await fail(0.2);
    await world.openBranch('b3');
    await world.fail({ by: 'timeout' }, 'ask', { usd: 0.3 });
    await world.pass(1_000);
    expect(world.commands.map(({ data: { decision, change } }) => [decision, change])).toEqual([
      ['retry', undefined],
      ['fallback', { fallback: 0 }],
      ['retry', undefined],
      ['reduce_scope', { reduce: 'less' }],
      ['give_up', undefined],
    ]);
    expect(world.decided.at(-1)?.[1]).toMatch(/^http@1#timeout; usd 1.1\d* of 1$/);
  });

  it('with all that happened before, where a run had ended and was recovered; a queue that a person gave is taken', async () => {
    const world = await startedWorld({ perRun: 3 });
    const fail = async (): Promise<void> => {
      await world.fail({ by: 'timeout' }, 'read');
      await world.pass(1_000);
    };
    await fail();
    await world.append({ type: 'RunFailed', version: 1, data: { bucket: 'timeout', message: 'over' } });
    await world.openBranch('b2', 'user:ana', [{ op: 'replace', path: '/steps/read/queue', value: 'q-b' }]);
    for (let n = 0; n < 2; n++) await fail();
    expect(world.commands.map(({ data: { decision, change } }) => [decision, change])).toEqual([
      ['retry', undefined],
      ['retry', undefined], // The first by the queue that ana gave it, which is that of its one alternative.
      ['reduce_scope', { reduce: 'less' }],
    ]);
    expect(world.decided.at(-1)?.[1]).toBe('http@1#timeout; attempts 2 of 2');
    await world.fail({ by: 'timeout' }, 'ask');
    await world.pass(1_000);
    expect(world.decided.at(-1)).toEqual(['give_up', 'http@1#timeout; perRun 4 of 3']);
  });

  it('by what the attempt was given, where a rule changes that', async () => {
    const world = await startedWorld();
    for (const params of [{ scale: 1 }, {}]) {
      await world.fail({ by: 'handler', bucket: 'context_length' }, 'read', undefined, params);
      await world.fail({ by: 'handler', bucket: 'context_length' }, 'ask', undefined, params);
      await world.pass(1_000);
    }
    const patch = [{ op: 'replace', path: '/params/scale', value: 0.5 }];
    expect(world.commands.map(({ data: { step, decision, change, queue } }) => [step, decision, change ?? queue])).toEqual([
      ['read', 'retry_modified', { patch }],
      ['ask', 'retry_modified', { patch }],
      ['read', 'fallback', { fallback: 0 }], // Attempt 2 of 2.
      ['ask', 'give_up', undefined],
    ]);
  });

  it('to the end of the policy where execution cannot go the way that is left', async () => {
    const world = new RetryWorld();
    await world.bindPeer({ refuses: 'changes' });
    await world.assemble().start();
    await world.ask('http', httpPolicy(1));
    await world.startRun();
    await world.fail({ by: 'timeout' }, 'read');
    await world.pass(60_000);
    expect(world.decided).toEqual([
      ['fallback', 'http@1#timeout; attempts 1 of 1'],
      ['reduce_scope', 'http@1#timeout; attempts 1 of 1; no fallback: not today'],
      ['give_up', 'http@1#timeout; attempts 1 of 1; no fallback: not today'],
    ]);
  });

  it('by what the run has cost, failed tries included', async () => {
    const world = await startedWorld({ usd: 1 });
    await world.fail({ by: 'handler', code: '503' }, 'work', { usd: 0.75 });
    await world.fail({ by: 'timeout' }, 'ask', { usd: 0.5 });
    await world.pass(1_000);
    expect(world.decided[1]).toEqual(['give_up', 'http@1#timeout; usd 1.25 of 1']);
  });

  it('a failure that is too large to be kept in memory', async () => {
    const world = await startedWorld();
    await world.fail({ by: 'handler', message: 'x'.repeat(2_000), details: { status: 503, body: 'y'.repeat(4_000) } });
    await world.pass(1_000);
    expect(world.decided).toEqual([['retry', 'default@1#upstream_5xx']]);
  });
});

describe('retry-policy does not forget', () => {
  it('a failure from before it started; what is decided is not judged again', async () => {
    const world = await startedWorld();
    const stopped = new RetryWorld();
    await stopped.bindPeer();
    const first = stopped.assemble();
    await first.start();
    await stopped.ask('http', httpPolicy(2));
    await stopped.startRun();
    await first.stop();
    await stopped.fail({ by: 'lease' });
    await stopped.pass(60_000);
    expect(stopped.commands).toHaveLength(0); // Nobody judges, so nothing is retried unasked.

    await stopped.assemble().start();
    await stopped.pass(60_000);
    await world.fail({ by: 'lease' });
    await world.pass(60_000);
    expect(stopped.commands.map(({ data }) => data)).toEqual(world.commands.map(({ data }) => data));
    expect(stopped.commands).toHaveLength(1);
  });

  it('to ask again until execution has answered', async () => {
    const world = new RetryWorld();
    const service = world.assemble();
    await service.start();
    await world.startRun();
    await world.fail({ by: 'lease' }, 'work');
    await world.pass(20_000);
    await world.bindPeer();
    await world.pass(20_000);
    expect(world.store.allEvents().filter(({ type }) => type === 'RetryDecided')).toHaveLength(1);
  });

  it('that a run has ended', async () => {
    const world = new RetryWorld();
    const first = world.assemble();
    await first.start();
    await world.startRun();
    await first.stop();
    await world.bindPeer();
    await world.fail({ by: 'lease' });
    await world.append({ type: 'RunFailed', version: 1, data: { bucket: 'timeout', message: 'over' } });
    await world.assemble().start();
    await world.pass(20_000);
    expect(world.commands).toHaveLength(0);
  });

  it('what it said: whoever judges again says the same, whatever happened since', async () => {
    const world = new RetryWorld();
    await world.bindPeer({ refuses: true });
    const first = world.assemble();
    await first.start();
    await world.startRun();
    await world.fail({ by: 'handler', code: '503' }, 'work');
    await world.pass(1_000);
    await world.fail({ by: 'handler', code: '429', retryAfter: '2026-01-01T00:05:00.000Z' }, 'other');
    await world.pass(1_000);
    await first.stop();
    const said = world.commands.splice(0).map(({ data }) => data);
    await world.assemble().start();
    await world.pass(1_000);
    expect(said).toHaveLength(2);
    expect(world.commands.map(({ data }) => data)).toEqual(said);
  });
});

describe('retry-policy keeps policies', () => {
  it('gives each namespace its default once', async () => {
    const world = await startedWorld();
    await world.assemble().start();
    const applied = world.store.allEvents().filter(({ stream }) => stream === policyStream(NS, 'default'));
    expect(applied).toMatchObject([{ type: 'PolicyApplied', revision: 0, data: { name: 'default', version: 1 } }]);
  });

  it('applies versions in order, and nothing twice', async () => {
    const world = await startedWorld();
    const first = await world.ask('http', httpPolicy(2));
    expect(first).toMatchObject({ kind: 'unchanged', name: 'http', version: 1, revision: 0 });
    expect(await world.ask('http', httpPolicy(3))).toMatchObject({ kind: 'applied', version: 2, revision: 1 });
    expect(await world.ask('http', httpPolicy(2))).toMatchObject({ kind: 'applied', version: 3, revision: 2 });
    const applied = await world.store.read(policyStream(NS, 'http'));
    expect(applied.map(({ actor, causationId }) => [actor, causationId])).toEqual([
      ['user:ana', 'ask-1'],
      ['user:ana', 'ask-3'],
      ['user:ana', 'ask-4'],
    ]);
  });

  it('refuses what does not compile, and another name, with the field', async () => {
    const world = await startedWorld();
    expect(await world.ask('http', httpPolicy(0))).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'policy_invalid', errors: [{ pointer: '/buckets/timeout/attempts', rule: 'minimum' }] },
    });
    expect(await world.ask('https', httpPolicy(2))).toMatchObject({ rejection: { errors: [{ pointer: '/policy', rule: 'name' }] } });
    expect(await world.ask('HTTP', httpPolicy(2))).toMatchObject({ rejection: { errors: [{ pointer: '/name', rule: 'name' }] } });
  });

  it('knows no other command', async () => {
    const world = new RetryWorld();
    const message = { subject: subjects.command(NS, 'retry-policy', 'drop-policy'), id: 'x', body: {}, deliveries: 1, asked: false };
    expect(await world.assemble().takeCommand(message)).toMatchObject({
      kind: 'never',
      answer: { rejection: { code: 'command_unknown' } },
    });
  });
});
