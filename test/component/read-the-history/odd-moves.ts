// Moves that lead a run wherever commands can: sensible ones, late ones, the same twice, in any order.
import type { JsonPatchOp } from '@cairn/domain-definition';
import { forkAt, parseOccurrence, planBranch, type BranchRequest } from '@cairn/domain-run';
import { instantOf } from '@cairn/kernel';
import type { GivenRun } from '../../../libs/domain/run/src/spec/given-run.js';

/** `kind`: what is done; `pick`: to which of those that it can be done to; `pass`: milliseconds that go by, where any do. */
export interface Move {
  readonly kind: number;
  readonly pick: number;
  readonly pass: number;
}

const usage = { usd: 0.1, tokensIn: 3, tokensOut: 4 };
const outputRef = { artifact: `sha256:${'0'.repeat(64)}`, bytes: 5_000, mediaType: 'application/json' };
const refused = { by: 'handler', message: 'no' } as const;

/** One move, often in the millisecond of the one before. */
export function playOddly(run: GivenRun, { kind, pick, pass }: Move): void {
  run.now += pick % 2;
  const one = (of: Iterable<string>): string => {
    const sorted = [...of].sort();
    return sorted[pick % Math.max(1, sorted.length)] ?? '0'.repeat(26);
  };
  const { attempts, closed, retries, waits } = run.state.path;
  const [attemptId, late, failed, waitId] = [attempts, closed, retries, waits].map((map) => one(map.keys())) as [
    string,
    string,
    string,
    string,
  ];
  const n = pick % 3;
  // A loop's condition, and an expression that reads the step, would have to be given the bytes.
  const at = attempts.get(attemptId)?.step ?? '';
  const isRead = at.startsWith('turns') || run.plan.steps.some(({ stepRefs }) => stepRefs.includes(at));
  const large = isRead ? {} : { outputRef };
  const key = one(run.state.ledger.effects.keys());
  const part = [...attempts.entries()].find(([, { step }]) => parseOccurrence(step).part !== undefined)?.[0] ?? attemptId;
  const found = [true, false, null][n] ?? null;
  const moves = [
    () => run.reply(part, { kind: 'succeeded', output: { found, result: { n } } }),
    () => run.reply(part, { kind: 'succeeded', output: { found, result: { n } } }),
    () => run.when({ type: 'ReconcileEffect', data: { key } }),
    () => run.when({ type: 'ReconcileEffect', data: { key, found: n === 0, ...(n === 0 ? { result: { n } } : {}), reason: 'seen' } }),
    () => run.when({ type: 'CompensateEffect', data: { key, reason: 'undo' } }),
    () => run.when({ type: 'ExpireWait', data: { waitId } }),
    () => (run.now += pass) && run.when({ type: 'ExpireWait', data: { waitId } }),
    () => (run.now += pass) && run.when({ type: 'MarkStale', data: { waitId } }),
    () => (run.now += pass) && run.when({ type: 'WakeRun', data: { kind: 'timer', waitId, trigger: 2 } }),
    () => run.when({ type: 'WakeRun', data: { kind: 'retry', attemptId: failed } }),
    () => run.reply(attemptId, { kind: 'succeeded', output: { n } }),
    () => run.when({ type: 'RecordReply', data: { attemptId, replyId: 'r', result: { kind: 'succeeded', output: n, ...large }, usage } }),
    // An output that looks like an artifact, and is none.
    () => run.reply(attemptId, { kind: 'succeeded', output: { ...outputRef } }),
    () =>
      run.when({
        type: 'RecordReply',
        data: { attemptId: late, replyId: `late ${n}`, result: { kind: 'succeeded', output: null }, usage },
      }),
    () => run.reply(attemptId, { kind: 'failed', failure: { ...refused, sideEffect: 'none' } }),
    () => run.when({ type: 'RecordReply', data: { attemptId, replyId: 'f', result: { kind: 'failed', failure: refused }, usage } }),
    () => run.when({ type: 'RecordLapse', data: { attemptId, by: n === 0 ? 'lease' : 'timeout', message: 'lost' } }),
    () => run.when({ type: 'TakeAttempt', data: { attemptId, handler: 'h', nonce: `n${n}` } }),
    () => run.decideRetry(failed, 'retry', n === 0 ? instantOf(run.now + pass) : undefined),
    () => run.decideRetry(failed, 'retry'),
    () => run.decideRetry(failed, pick % 2 === 0 ? 'escalate' : 'block'),
    () => run.decideRetry(failed, 'escalate'),
    () => (n === 0 ? run.decideRetry(failed, 'give_up') : undefined),
    () => branchOff(run, failed, n),
    () => branchOff(run, failed, n),
    () => openSomewhere(run, pick, n),
    () => whatIf(run, pick, n),
    () => run.when({ type: 'PauseRun', data: { by: 'operator' } }),
    () => run.when({ type: 'UnpauseRun', data: { by: 'operator' } }),
    () => (pick < 4 ? run.when({ type: 'CancelRun', data: { reason: 'enough' } }) : undefined),
    ...['x', 'y', 'x', 'y'].map((name) => () => wake(run, waitId, name, pick)),
  ];
  const [step, ...others] = [...new Set([...run.state.path.reviews.values()].map((review) => review.step))].sort();
  if (step !== undefined && kind % 3 === 0) decide(run, [step, ...others][pick % (1 + others.length)] ?? step, pick, pass);
  else moves[kind % moves.length]?.();
}

/** Somebody decides, passes up, or lets the time pass. */
function decide(run: GivenRun, step: string, pick: number, pass: number): void {
  const asked = run.state.path.reviews.get(run.reviewId(step));
  if (asked?.attemptId !== undefined) return decideFailure(run, step, pick);
  if (asked?.why === 'budget') {
    if (pick % 5 === 4) run.escalate(step, 1);
    const [verdict, option] = pick % 6 === 5 ? (['reject', 'give_up'] as const) : (['approve', 'go_on'] as const);
    return void run.verdict(step, verdict, { option });
  }
  const amount = { op: 'replace', path: '/amount', value: pick };
  const moves = [
    () => run.verdict(step, 'approve'),
    () => run.verdict(step, 'approve', { subjectDigest: '0'.repeat(64) }),
    () => run.verdict(step, 'edit', { edits: [amount] }),
    () => run.verdict(step, 'reject'),
    () => run.escalate(step, 1 + (pick % 3), pick % 2 === 0 ? null : 'group:cfo'),
    () => run.expireReview(step, 'block'),
    () => (run.now += pass) && run.verdict(step, 'approve'),
  ];
  moves[pick % moves.length]?.();
  goOn(run);
}

/** The branch that was announced begins. */
function goOn(run: GivenRun): void {
  if (run.state.superseded === null) return;
  run.openSuccessor();
  run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
}

/** People say what becomes of a failure; what opens a branch lets it begin. */
function decideFailure(run: GivenRun, step: string, pick: number): void {
  const options: readonly (readonly [string, string, object?])[] = [
    ['approve', 'retry'],
    ['revise', 'retry_modified', { guidance: 'other' }],
    ['approve', 'fallback:0'],
    ['approve', 'reduce:less'],
    ['approve', 'fallback:7'],
  ];
  const [verdict, option, more = {}] = pick === 5 ? (['reject', 'give_up'] as const) : options[pick % options.length]!;
  if (pick % 7 === 6) run.escalate(step, 1);
  run.verdict(step, verdict, { option, ...more });
  goOn(run);
}

/** What a policy does about a failure that opens a branch; the branch begins at once, or after something else. */
function branchOff(run: GivenRun, failed: string, n: number): void {
  const kinds = [
    ['fallback', { fallback: 0 }],
    ['retry_modified', { patch: [{ op: 'add', path: '/params/n', value: n }] }],
    ['reduce_scope', { reduce: 'less' }],
  ] as const;
  const [decision, change] = kinds[n]!;
  run.decideRetry(failed, decision, undefined, change);
  goOn(run);
}

/** A person goes back to any point, with whatever the plan asks to be chosen. */
function openSomewhere(run: GivenRun, pick: number, n: number): void {
  const names = [...run.branches.keys()];
  const branch = names[pick % names.length]!;
  const at = String((pick * 7) % (run.branches.get(branch)?.length ?? 1));
  const fork = forkAt(run.branches, { branch, at });
  if (!('point' in fork)) return;
  const state = run.lineage().at(fork.point.branch, fork.point.revision);
  const step = [...state.path.steps.keys()].sort()[0] ?? 'a';
  const changes: JsonPatchOp[] = [
    { op: 'add', path: '/input/more', value: n },
    { op: 'add', path: `/outputs/${step.replaceAll('/', '~1')}`, value: { overridden: n } },
    { op: 'add', path: `/skip/${step.replace(/#.*/, '')}`, value: true },
  ];
  const asked: BranchRequest = { from: { branch, at }, cause: 'override', reason: 'odd', changes: changes.slice(n) };
  const { effects, received } = planBranch({ plan: run.plan, fork: fork.point, parent: state, head: run.state }, asked);
  const request: BranchRequest = {
    ...asked,
    effects: Object.fromEntries(effects.flatMap(({ key, choices }) => (choices.length === 0 ? [] : [[key, choices[n % choices.length]!]]))),
    received: Object.fromEntries(received.map((line, i) => [line.id, taken(line, (i + n) % 2 === 0)])),
  };
  run.when({ type: 'OpenBranch', data: { ...request, fork: { ...fork, state } } });
  if (run.state.superseded === null) return;
  run.openSuccessor();
  run.when({ type: 'WakeRun', data: { kind: 'branch', branch: run.state.branch } });
}

/** What becomes of something that came after the fork: of a verdict, an approval alone is taken along. */
function taken({ default: usual, says }: { readonly default: string; readonly says: string }, carry: boolean): 'carry' | 'drop' | 're_ask' {
  if (usual !== 're_ask') return carry ? 'carry' : 'drop';
  return carry && /^(approved|edited)$/.test(says) ? 'carry' : 're_ask';
}

/** A shadow of any point, which is led some of its way, and perhaps given up. */
function whatIf(run: GivenRun, pick: number, n: number): void {
  const names = [...run.branches.keys()];
  const branch = names[pick % names.length]!;
  const at = String((pick * 7) % (run.branches.get(branch)?.length ?? 1));
  const fork = forkAt(run.branches, { branch, at });
  if (!('point' in fork)) return;
  const state = run.lineage().at(fork.point.branch, fork.point.revision);
  const changes: JsonPatchOp[] = [{ op: 'add', path: '/input/more', value: n }];
  const request: BranchRequest = { from: { branch, at }, cause: 'what_if', shadow: true, reason: 'odd', changes };
  const outcome = run.when({ type: 'OpenBranch', data: { ...request, fork: { ...fork, state } } });
  if (typeof outcome === 'string') return;
  const shadow = run.openShadow();
  run.inShadow(shadow, () => {
    run.when({ type: 'WakeRun', data: { kind: 'branch', branch: shadow } });
    for (let turn = 0; turn < pick % 5; turn++) {
      const [attemptId] = [...run.state.path.attempts.keys()].sort();
      if (attemptId === undefined) break;
      if ((pick + turn) % 4 === 3) run.reply(attemptId, { kind: 'failed', failure: { ...refused, sideEffect: 'none' } });
      else
        run.when({
          type: 'RecordReply',
          data: { attemptId, replyId: `${attemptId}:end`, result: { kind: 'succeeded', output: { n } }, usage },
        });
    }
    if (n === 0) run.when({ type: 'AbandonBranch', data: { branch: shadow, reason: 'enough' } });
  });
}

function wake(run: GivenRun, waitId: string, name: string, pick: number): void {
  const id = String(pick % 4);
  const type = `cairn.run.signal.${name}.v1`;
  const receiptId = id.padStart(26, '0');
  const data = pick % 5 === 0 ? { dataRef: outputRef, loaded: { n: 1 } } : { data: { n: pick } };
  run.when({
    type: 'WakeRun',
    data: {
      kind: 'event',
      waitId,
      trigger: name === 'x' ? 0 : 1,
      event: { receiptId, source: 'out', id, type, at: instantOf(run.now), kept: pick % 2 === 0, ...data },
    },
  });
}
