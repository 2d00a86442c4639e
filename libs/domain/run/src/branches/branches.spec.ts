import { describe, expect, it } from '@jest/globals';
import { signalType } from '@cairn/domain-definition';
import { GivenRun, planWith, RUN } from '../spec/given-run.js';
import { deserializeState, serializeState } from '../snapshot.js';
import { stateDigest, stateDigestFromScratch } from '../state-digest.js';
import { headOf } from './lineage.js';

const extract = (more: object = {}) => ({
  id: 'extract',
  task: { queue: 'ocr' },
  input: { of: '${input.document}' },
  params: { scale: 1 },
  fallback: [{ queue: 'ocr-b' }, { queue: 'ocr-c', params: { scale: '${input.scale}' } }],
  ...more,
});
const plan = planWith([
  { id: 'read', task: { queue: 'q' } },
  extract(),
  { id: 'beside', after: [], task: { queue: 'q' } },
  { id: 'letter', after: [], wait: { any: [{ signal: 'go' }] } },
  { id: 'book', after: ['extract', 'beside'], task: { queue: 'q' } },
]);
const wake = { type: 'WakeRun', data: { kind: 'branch', branch: 'b2' } } as const;

/** `read` is done, `extract` failed, `beside` and `letter` are open. */
function failed(): GivenRun {
  const run = new GivenRun(plan);
  run.start({ document: 'd', scale: 3 });
  run.succeed('read');
  run.fail('extract');
  return run;
}

/** …and its first alternative is taken on b2. */
function recovered(): GivenRun {
  const run = failed();
  run.decideBranch('extract', 'fallback', { fallback: 0 });
  run.openSuccessor();
  run.when(wake);
  return run;
}

describe('a branch that a policy opens (C-FALLBACK)', () => {
  it('is announced with its decision, in one append, and names cause, reason, evidence and exactly what changes (C-CAUSE)', () => {
    const run = failed();
    const failedAt = run.state.revision;
    expect(run.decideBranch('extract', 'fallback', { fallback: 1 })).toEqual(['RetryDecided(extract)', 'BranchSuperseded']);
    expect(run.history.at(-1)?.data).toMatchObject({
      successor: 'b2',
      spec: {
        parent: { branch: 'main', revision: run.state.revision - 1 },
        cause: 'fallback',
        reason: expect.stringContaining('extract failed at attempt 1') as never,
        evidence: [`main@${failedAt}`],
        changes: [
          { op: 'replace', path: '/steps/extract/queue', value: 'ocr-c' },
          { op: 'replace', path: '/steps/extract/params', value: { scale: 3 } },
        ],
        checkpoint: 'letter.wait',
      },
    });
  });

  it('begins with BranchOpened and a recovery checkpoint that holds the state it begins with (C-RECCKPT, I-7)', () => {
    const run = failed();
    run.decideBranch('extract', 'fallback', { fallback: 0 });
    expect(run.openSuccessor()).toEqual(['BranchOpened', 'CheckpointReached']);
    expect(run.history.at(-1)?.data).toMatchObject({
      name: 'b2.recovery',
      kind: 'recovery',
      stateDigest: stateDigest(run.lineage().at('b2', 0)),
    });
    expect(run.state.ledger.branches.toObject()).toEqual({
      main: { head: false, epoch: 1, ended: false },
      b2: { head: true, epoch: 2, ended: false },
    });
  });

  it('runs nothing again that is finished or under way, and only the failed step, changed (architecture §3.2)', () => {
    const run = failed();
    const [beside, letter] = [run.attempt('beside'), run.waitId('letter')];
    run.decideBranch('extract', 'fallback', { fallback: 0 });
    run.openSuccessor();
    expect(run.when(wake)).toEqual(['StepStarted(extract)']);
    expect(run.history.at(-1)?.data).toMatchObject({ attempt: 2, queue: 'ocr-b', input: { of: 'd' }, params: { scale: 1 } });
    expect(run.state.path.attempts.has(beside)).toBe(true);
    expect(run.state.path.waits.get(letter)?.open).toBe(true);
    expect(run.when(wake)).toBe('nothing: unchanged');
    expect(run.succeed('beside')).toEqual(['StepSucceeded(beside)']);
    expect(run.succeed('extract')).toEqual(['StepSucceeded(extract)', 'StepStarted(book)']);
    expect(run.event('letter', signalType('go'), { key: RUN })).toEqual(['WaitTriggered(letter)', 'WaitSatisfied(letter)']);
    expect(run.succeed('book')).toEqual(['StepSucceeded(book)', 'RunCompleted']);
    expect(run.branches.get('b2')?.at(-1)).toMatchObject({ type: 'RunCompleted', data: { outcome: 'succeeded' } });
  });

  it('keeps every limit: attempts and spend count over all branches (ledger)', () => {
    const run = recovered();
    expect(run.state.ledger.spend.get('extract')?.attempts).toBe(2);
    run.fail('extract');
    run.decideBranch('extract', 'fallback', { fallback: 1 });
    run.openSuccessor();
    run.when({ type: 'WakeRun', data: { kind: 'branch', branch: 'b3' } });
    expect(run.history.at(-1)?.data).toMatchObject({ attempt: 3, queue: 'ocr-c', params: { scale: 3 } });
    expect(run.state.ledger.spend.get('')?.attempts).toBe(5);
    expect(headOf(run.branches)).toBe('b3');
  });

  it('is the same from the beginning, from any point of it, and from a snapshot', () => {
    const run = recovered();
    run.fail('extract');
    run.decideBranch('extract', 'fallback', { fallback: 1 });
    run.openSuccessor();
    run.when({ type: 'WakeRun', data: { kind: 'branch', branch: 'b3' } });
    const [live, read] = [run.state, run.lineage().at('b3')];
    expect(serializeState(read)).toBe(serializeState(live));
    expect(stateDigest(read)).toBe(stateDigestFromScratch(live));
    expect(serializeState(deserializeState(serializeState(live)))).toBe(serializeState(live));
    const lineage = run.lineage();
    for (const [branch, events] of run.branches)
      for (const { revision } of events) expect(lineage.at(branch, revision)).toMatchObject({ branch, revision });
    expect(serializeState(lineage.at('b3'))).toBe(serializeState(live));
  });

  it('takes replies to attempts that only an earlier branch had as late, once', () => {
    const run = failed();
    const extracted = [...run.state.path.retries.keys()][0] as string;
    run.decideBranch('extract', 'fallback', { fallback: 0 });
    run.openSuccessor();
    expect(run.reply(extracted, { kind: 'succeeded', output: {} }, 'again')).toEqual(['LateResultRecorded(extract)']);
    expect(run.reply(extracted, { kind: 'succeeded', output: {} }, 'again')).toBe('nothing: late');
  });

  it('leaves nothing to be decided on the old head (I-8)', () => {
    const run = failed();
    const attempt = [...run.state.path.retries.keys()][0] as string;
    const beside = run.attempt('beside');
    run.decideBranch('extract', 'fallback', { fallback: 0 });
    expect(run.succeed('beside')).toBe('nothing: late');
    expect(run.decideRetry(attempt, 'retry')).toBe('nothing: late');
    expect(run.when({ type: 'CancelRun', data: {} })).toBe('nothing: late');
    expect(run.state.path.attempts.has(beside)).toBe(true);
  });

  it.each([
    ['an alternative that is not declared', 'fallback', { fallback: 2 }],
    ['no alternative', 'fallback', {}],
    ['a patch that does not fit', 'retry_modified', { patch: [{ op: 'replace', path: '/params/none', value: 1 }] }],
    ['no patch', 'retry_modified', {}],
    ['a reduced path that is not declared', 'reduce_scope', { reduce: 'none' }],
  ] as const)('is refused for %s', (_, decision, change) => {
    const run = failed();
    expect(run.decideBranch('extract', decision, change)).toBe('rejected: decision_unsupported');
  });

  it('waits while the run is paused, and goes on with it', () => {
    const run = failed();
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    run.decideBranch('extract', 'fallback', { fallback: 0 });
    run.openSuccessor();
    expect(run.when(wake)).toBe('nothing: early');
    expect(run.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual(['RunUnpaused', 'StepStarted(extract)']);
  });
});

describe('a changed retry (C-MODIFIED)', () => {
  it('changes what the step is given, and nothing else', () => {
    const run = failed();
    run.decideBranch('extract', 'retry_modified', { patch: [{ op: 'replace', path: '/params/scale', value: 0.5 }] });
    run.openSuccessor();
    expect(run.history.at(-2)?.data).toMatchObject({
      cause: 'retry_modified',
      changes: [{ op: 'replace', path: '/steps/extract/params/scale', value: 0.5 }],
    });
    run.when(wake);
    expect(run.history.at(-1)?.data).toMatchObject({ queue: 'ocr', params: { scale: 0.5 } });
  });

  it('of a loop holds for its later turns', () => {
    const loop = { id: 'poll', task: { queue: 'q' }, params: { n: 1 }, repeat: { until: 'output.done', max: 5 } };
    const run = new GivenRun(planWith([loop]));
    run.start();
    run.succeed('poll#1', { done: false });
    run.fail('poll#2');
    run.decideBranch('poll#2', 'retry_modified', { patch: [{ op: 'replace', path: '/params/n', value: 2 }] });
    run.openSuccessor();
    expect(run.when(wake)).toEqual(['StepStarted(poll#2)']);
    expect(run.history.at(-1)?.data).toMatchObject({ attempt: 2, params: { n: 2 } });
    run.succeed('poll#2', { done: false });
    expect(run.history.at(-1)?.data).toMatchObject({ step: 'poll#3', attempt: 1, params: { n: 2 } });
  });
});
