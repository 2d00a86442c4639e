import { signalType, type JsonPatchOp, type Plan } from '@cairn/domain-definition';
import type { Json } from '@cairn/kernel';
import { describe, expect, it } from '@jest/globals';
import { GivenRun, planWith } from '../spec/given-run.js';
import type { PinnedDocument } from '../shared-fields.js';
import type { BranchDocuments } from './documents.js';
import { forkAt } from './fork.js';
import { planBranch } from './plan.js';
import type { BranchPlan, BranchRequest } from './request.js';
import { asChanged } from './rules.js';

// C-MODIFIED, C-CAUSE: what a branch may change, each change checked by what it is about.

const STEPS = [
  { id: 'extract', task: { queue: 'q' } },
  { id: 'screen', task: { queue: 'q' }, params: { list: 'old', of: '${steps.extract.output}' }, timeout: '10m' },
  { id: 'letter', wait: { any: [{ signal: 'go' }, { signal: 'come' }], deadline: '1d', onDeadline: { giveUp: true } } },
  { id: 'look', review: { queue: 'desk', question: 'Right?', deadline: '1d' } },
  { id: 'tell', emit: { type: 'told' } },
];
const plan = planWith(STEPS);

/** Up to where the letter is waited for. */
function waiting(): GivenRun {
  const run = new GivenRun(plan);
  run.start({ n: 1 });
  run.succeed('extract', 'text');
  run.succeed('screen', { risk: 1 });
  return run;
}

const base = { from: { branch: 'main', at: 'screen' }, cause: 'correction', reason: 'other' } as const;
const asked = (changes: readonly JsonPatchOp[], more: object = {}): BranchRequest => ({ ...base, changes, ...more });
const set = (path: string, value: Json): JsonPatchOp => ({ op: 'replace', path, value });

function facts(run: GivenRun, { from }: BranchRequest, documents?: BranchDocuments) {
  const fork = forkAt(run.branches, from);
  if (!('point' in fork)) throw new Error(fork.problem.says);
  const parent = run.lineage().at(fork.point.branch, fork.point.revision);
  return { plan: run.plan, fork: fork.point, parent, head: run.state, ...(documents === undefined ? {} : { documents }) };
}
const planOf = (run: GivenRun, request: BranchRequest, documents?: BranchDocuments): BranchPlan =>
  planBranch(facts(run, request, documents), request);

function open(run: GivenRun, request: BranchRequest, documents?: BranchDocuments): string[] | string {
  const { fork: point, parent: state } = facts(run, request);
  const fork = { point, state };
  return run.when({ type: 'OpenBranch', data: { ...request, fork, ...(documents === undefined ? {} : { documents }) } });
}
const begin = (run: GivenRun): string[] | string => {
  run.openSuccessor();
  return run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
};

describe('a change', () => {
  it.each<[string, JsonPatchOp, string, string]>([
    ['a timeout that is no duration', set('/steps/screen/timeout', 'soon'), 'duration', 'timeout is a duration'],
    ['a timeout of a wait', set('/steps/letter/timeout', '1m'), 'kind', 'letter is a wait: it has no timeout to change, but deadline'],
    ['anything of an emit', set('/steps/tell/queue', 'x'), 'kind', 'tell is an emit: it has no queue to change'],
    ['a deadline of a task', set('/steps/screen/deadline', '1m'), 'kind', 'screen is a task: it has no deadline to change'],
    ['a deadline that is none', set('/steps/letter/deadline', { at: 'tomorrow' }), 'duration', 'deadline is a duration'],
    ['a policy that is no name', set('/steps/screen/retry', 'A B'), 'type', 'retry is a policy'],
    ['a part of a timeout', set('/steps/screen/timeout/ms', 1), 'path', 'as a whole'],
    ['a part that no step has', set('/steps/screen/colour', 1), 'path', 'queue, input, params, guidance, timeout, retry, deadline'],
    ['what is there already', set('/steps/screen/params/list', 'old'), 'no_change', 'it would change nothing'],
    ['the input that is there already', set('/input/n', 1), 'no_change', 'it would change nothing'],
    ['a place where nothing is', set('/steps/screen/params/none', 1), 'path_missing', 'there is nothing at /params/none to replace'],
    ['a test that fails', { op: 'test', path: '/steps/screen/params/list', value: 'new' }, 'test_failed', 'is not what the patch expects'],
    ['a test of the input that fails', { op: 'test', path: '/input/n', value: 7 }, 'test_failed', 'is not what the patch expects'],
    ['a finished step', set('/steps/extract/timeout', '1m'), 'settled', 'done at the fork'],
    ['a budget', set('/budget/usd', 1), 'not_yet', '/budget cannot be changed yet'],
    ['a definition that is none', set('/definition', 7), 'type', '/definition is a version'],
    ['a version that was never applied', set('/definition', '9.9.9'), 'unknown-ref', 'spec has no such version'],
    ['a part of the definition', set('/definition/steps/0', {}), 'path', '/definition is replaced as a whole'],
  ])('that names %s is refused with pointer and rule', (_, op, rule, says) => {
    const { problems } = planOf(waiting(), asked([op]));
    expect(problems).toEqual([{ pointer: '/changes/0', rule, says: expect.stringContaining(says) }]);
  });

  it.each(['retry_modified', 'fallback', 'reduced_scope'] as const)('is missing from a branch of cause %s', (cause) => {
    expect(planOf(waiting(), asked([], { cause })).problems).toEqual([expect.objectContaining({ pointer: '/changes', rule: 'required' })]);
  });

  it('is judged with those before it, and below an expression not at all', () => {
    const run = waiting();
    expect(
      planOf(run, asked([{ op: 'test', path: '/input/n', value: 1 }, set('/input/n', 2), { op: 'test', path: '/input/n', value: 2 }]))
        .problems,
    ).toEqual([]);
    expect(planOf(run, asked([set('/steps/screen/params/of/deep', 2)])).problems).toEqual([]);
  });

  it('of timeout, policy and deadline is what the step is dealt with by, from its next start on', () => {
    const run = waiting();
    const changes = [set('/steps/screen/timeout', '90s'), set('/steps/screen/retry', 'careful@2'), set('/steps/letter/deadline', '2h')];
    const policy: PinnedDocument = { name: 'careful', version: 2, hash: 'sha256:x', revision: 1 };
    const documents: BranchDocuments = { versions: [], policies: [policy], missing: [] };
    expect(open(run, asked(changes), documents)).toEqual(['WaitWithdrawn(letter)', 'BranchSuperseded']);
    begin(run);
    expect(run.state.started?.policies).toEqual(expect.arrayContaining([policy]));
    const screen = asChanged(run.state, plan.step('screen')!);
    expect([screen.timeoutMs, screen.retry]).toEqual([90_000, { name: 'careful', version: 2 }]);
    run.succeed('screen', { risk: 2 });
    expect(deadlineOf(run)).toBe(run.now + 2 * 3_600_000);
  });

  it('of an open wait opens it again, with what it has collected', () => {
    const run = waiting();
    const request = asked([set('/steps/letter/deadline', '2h')], { from: { branch: 'main', at: String(run.state.revision) } });
    expect(planOf(run, request)).toMatchObject({ reruns: ['letter'], received: [], problems: [] });
    expect(open(run, request)).toEqual(['WaitWithdrawn(letter)', 'BranchSuperseded']);
    expect(begin(run)).toEqual(expect.arrayContaining(['WaitOpened(letter)']));
    expect(deadlineOf(run)).toBe(run.now + 2 * 3_600_000);
    run.event('letter', signalType('go'), { key: run.state.runId });
    expect(run.state.path.steps.get('letter')?.status).toBe('succeeded');
  });

  it('that names a policy which does not exist says which there are', () => {
    const documents: BranchDocuments = { versions: [], policies: [], missing: ['none'] };
    expect(planOf(waiting(), asked([set('/steps/screen/retry', 'none')]), documents).problems).toEqual([
      { pointer: '/changes/0', rule: 'unknown-ref', says: expect.stringContaining('there is no policy none; the run has pinned') },
    ]);
  });
});

describe('another definition', () => {
  const other = (steps: readonly unknown[], more: object = {}): BranchDocuments => {
    const asIs = planWith(steps, { version: '1.1.0', ...more });
    return { definition: { pin: pinOf(asIs), plan: asIs }, versions: ['1.0.0', '1.1.0'], policies: [], missing: [] };
  };
  const pinOf = ({ name, version, hash }: Plan): PinnedDocument => ({ name, version, hash, revision: 1 });
  const request = asked([set('/definition', '1.1.0')]);
  const [extract, screen, letter, look, tell] = STEPS as [object, object, object, object, object];

  it('is what the branch goes on with; what is finished keeps its output', () => {
    const run = waiting();
    const documents = other([extract, screen, { id: 'check', task: { queue: 'q' } }, letter, look, tell]);
    expect(planOf(run, request, documents)).toMatchObject({ keeps: ['extract'], reruns: ['screen', 'letter'], problems: [] });
    expect(open(run, request, documents)).toEqual(['WaitWithdrawn(letter)', 'BranchSuperseded']);
    (run as { plan: Plan }).plan = documents.definition!.plan;
    begin(run);
    expect(run.state.started?.definition).toEqual(documents.definition!.pin);
    run.succeed('screen', { risk: 2 });
    expect(run.attempt('check')).toBeDefined();
  });

  it('makes what it says differently begin anew, and carries the rest', () => {
    const run = waiting();
    const at = { from: { branch: 'main', at: String(run.state.revision) } };
    const same = planOf(run, { ...request, ...at }, other([extract, screen, letter, { ...look, purpose: 'x' }, tell]));
    expect(same).toMatchObject({ reruns: [], received: [{ id: 'wait:letter', choice: 'carry' }] });
    const longer = { ...letter, wait: { any: [{ signal: 'go' }], deadline: '3d', onDeadline: { giveUp: true } } };
    expect(planOf(run, { ...request, ...at }, other([extract, screen, longer, look, tell]))).toMatchObject({
      reruns: ['letter'],
      received: [],
    });
  });

  it.each([
    ['lacks a step that has begun', other([{ ...screen, params: {} }, letter, look, tell]), 'step_gone', '1.1.0 has no step extract'],
    ['makes a loop of it', other([{ ...extract, repeat: { until: 'true', max: 2 } }, screen, letter, look, tell]), 'step_gone', 'a loop'],
    ['has no room for the input', other(STEPS, { input: { type: 'object', required: ['m'] } }), 'required', 'does not fit 1.1.0'],
    [
      'is the one that the run has',
      { ...other(STEPS), definition: { pin: { ...pinOf(plan), hash: 'sha256:given' }, plan } },
      'no_change',
      'nothing',
    ],
  ] as const)('that %s is refused', (_, documents, rule, says) => {
    const run = waiting();
    const started = run.state.started!;
    const known = rule === 'no_change' ? { ...documents, definition: { pin: started.definition, plan } } : documents;
    expect(planOf(run, request, known).problems).toEqual([{ pointer: '/changes/0', rule, says: expect.stringContaining(says) }]);
  });
});

function deadlineOf(run: GivenRun): number {
  const [wait] = [...run.state.path.waits.values()].filter(({ open }) => open);
  return Date.parse(wait?.opened.deadline ?? '');
}
