// docs/reference/history.md, "State and digest, digest version 1": a branch of a run, folded event by event.
import { canon, digestOf, sha256 } from './encoding.mjs';

const SLICES = {
  ledger: ['branches', 'effects', 'late', 'notifications', 'spend', 'used'],
  path: ['assumptions', 'attempts', 'carried', 'checkpoints', 'plans', 'retries', 'reviews', 'run', 'scope', 'steps', 'waits'],
  aside: ['artifacts', 'pending', 'opened', 'asked', 'detours', 'last'], // In no entry, but entries and the run's state follow from it.
};
const ENDS = 'RunCompleted RunFailed RunGaveUp RunCancelled ShadowEnded BranchAbandoned';
const OUTCOMES = { RunFailed: 'failed', RunGaveUp: 'gave_up', RunCancelled: 'cancelled', BranchAbandoned: 'abandoned' };
const VERDICTS = { approve: 'approved', edit: 'edited', revise: 'revised', reject: 'rejected', expired: 'expired' };
const gone = () => undefined;

// Slice, events, key (a member of the event's data, or a list of keys), and what the event says of the entry: members that change, or that it is
// gone. `d`: the event's data, `was`: the entry before it, `s`: all slices, `now`: the event's type and metadata.
const table = [
  ['run', 'RunStarted', () => ['goal'], (d) => d.goal],
  ['run', 'RunStarted', () => ['input'], (d) => d.input],
  ['run', 'RunStarted RunUnpaused', () => ['paused'], () => false],
  ['run', 'RunPaused', () => ['paused'], () => true],
  ['run', 'BranchOpened', (d) => (changesOf(d, 'input').length > 0 ? ['input'] : []), (d, was) => patched(was, changesOf(d, 'input'))],
  ['branches', 'RunStarted', (d, s, now) => [now.branch], () => ({ ended: false, epoch: 1, head: true })],
  ['branches', ENDS, (d, s, now) => [now.branch], () => ({ ended: true })],
  ['branches', 'BranchSuperseded', (d, s, now) => [now.branch], () => ({ head: false })],
  [
    'branches',
    'BranchSuperseded',
    'successor',
    (d, was, s, now) => ({ head: true, epoch: s.branches[now.branch].epoch + 1, ended: false }),
  ],
  ['branches', 'ShadowOpened', 'branch', (d, was, s, now) => ({ head: false, epoch: s.branches[now.branch].epoch, ended: false })],
  ['steps', 'StepStubbed', 'step', stubbed],
  ['artifacts', 'StepStubbed', 'step', (d) => d.outputRef?.artifact],
  ['steps', 'StepStarted', 'step', (d) => ({ status: 'active', attempts: d.attempt, output: null })],
  ['steps', 'StepSucceeded', 'step', (d) => succeeded(d.outputRef ?? d.output)],
  ['steps', 'StepFailed', 'step', () => ({ status: 'failed' })],
  ['steps', 'StepSkipped', 'step', (d, was) => ({ status: 'skipped', attempts: was.attempts ?? 0, output: null })],
  ['steps', 'EventEmitted', 'step', (d) => ({ attempts: 0, ...succeeded({ eventId: d.eventId }) })],
  ['steps', 'WaitOpened', 'step', () => ({ status: 'waiting', attempts: 0, output: null })],
  ['steps', 'WaitSatisfied', 'step', (d, was, s) => succeeded(outputOfWait(s.opened[d.waitId], d.triggers))],
  ['steps', 'WaitExpired', 'step', ({ then }) => afterDeadline(then)],
  ['steps', 'BranchOpened', (d) => changesOf(d, 'outputs').map(({ path: [step] }) => step), overridden],
  ['artifacts', 'BranchOpened', (d) => changesOf(d, 'outputs').map(({ path: [step] }) => step), gone],
  ['artifacts', 'StepSucceeded', 'step', (d) => d.outputRef?.artifact],
  ['attempts', 'StepStarted', 'attemptId', (d) => ({ step: d.step, n: d.attempt, taken: false })],
  ['attempts', 'AttemptTaken', 'attemptId', () => ({ taken: true })],
  ['attempts', 'StepSucceeded StepFailed', 'attemptId', gone],
  ['attempts', ENDS, (d, s) => Object.keys(s.attempts), gone],
  ['attempts', 'BranchOpened', (d, s) => Object.keys(s.attempts).filter((id) => !d.carried.attempts.includes(id)), gone],
  ['waits', 'WaitOpened', 'waitId', (d, { got = [] }) => ({ step: d.step, open: true, got })],
  ['waits', 'WaitTriggered', 'waitId', (d, was) => ({ got: [...was.got, d.eventId] })],
  ['waits', 'WaitSatisfied WaitExpired WaitWithdrawn', 'waitId', () => ({ open: false })],
  ['waits', 'BranchOpened', (d, s) => Object.keys(s.waits).filter((id) => !d.carried.waits.includes(id)), () => ({ open: false })],
  ['carried', 'BranchOpened', (d) => d.carried.events, () => true],
  ['carried', 'WaitTriggered', 'eventId', gone],
  ['scope', 'StepSkipped', (d) => (d.because === 'scope' ? [d.step] : []), () => true],
  ['opened', 'WaitOpened', 'waitId', (d, { came = [] }) => ({ ...d, came })],
  ['opened', 'WaitTriggered', 'waitId', (d, was) => ({ came: [...was.came, d] })],
  ['steps', 'ReviewRequested', 'step', (d, { status = 'waiting', attempts = 0, output = null }) => ({ status, attempts, output })],
  ['steps', 'VerdictApplied', 'step', (d) => (/^(again|grant:)/.test(d.then) && !d.attemptId ? undefined : afterDecision(d))],
  ['steps', 'VerdictApplied', (d, s) => askedBy(d, s).filter((step) => !s.waits[waitOf(s, step)].open), gone],
  ['waits', 'VerdictApplied', (d, s) => askedBy(d, s).map((step) => waitOf(s, step)), forgotten],
  ['detours', 'WaitExpired', (d) => ('step' in d.then ? [d.step] : []), (d) => d.then.step],
  ['detours', 'WaitStale', (d) => (d.asks ? [d.step] : []), (d) => d.asks],
  ['detours', 'VerdictApplied', askedBy, gone],
  ['reviews', 'ReviewRequested', 'reviewId', (d) => ({ step: d.step, status: 'open', subjectDigest: d.subjectDigest })],
  ['reviews', 'ReviewEscalated', 'reviewId', () => ({ status: 'escalated' })],
  ['reviews', 'VerdictApplied', 'reviewId', (d) => ({ status: VERDICTS[d.verdict], subjectDigest: d.subjectDigest })],
  ['steps', 'VerdictCarried', 'step', (d, { attempts = 0 }) => ({ attempts, ...afterDecision(d) })],
  ['reviews', 'VerdictCarried', 'reviewId', (d) => ({ step: d.step, status: VERDICTS[d.verdict], subjectDigest: d.subjectDigest })],
  ['reviews', 'ReviewWithdrawn', 'reviewId', () => ({ status: 'withdrawn' })],
  ['reviews', 'BranchOpened', notCarried, () => ({ status: 'withdrawn' })],
  ['asked', 'BranchOpened', notCarried, gone],
  ['asked', 'ReviewRequested', 'reviewId', (d) => ({ why: d.why, escalated: d.attemptId !== undefined })],
  ['asked', 'ReviewEscalated', 'reviewId', () => ({ escalated: true })],
  ['asked', 'VerdictApplied ReviewWithdrawn', 'reviewId', gone],
  ['pending', 'ReviewRequested', (d) => (d.attemptId ? [] : [d.step]), gone],
  [
    'pending',
    'ReviewRequested',
    (d) => (isOverBudget(d) ? [d.step] : []),
    (d) => ({ owed: owedAfter('escalate'), attemptId: d.attemptId }),
  ],
  ['pending', 'VerdictApplied', 'step', (d) => afterVerdict(d)],
  ['steps', 'EffectConfirmed', (d, s) => (foundOut(d, s) ? [d.step] : []), (d) => succeeded(d.receipt)],
  ['pending', 'EffectConfirmed', (d, s) => (d.by !== 'reply' && isOver(d, s) ? [d.step, `${d.step}/reconcile`] : []), gone],
  ['retries', 'EffectAbsent', (d, s) => (isBlocked(d, s) ? [s.pending[d.step].attemptId] : []), gone],
  ['pending', 'EffectAbsent', (d, s) => (isOwed(d, s) ? [`${d.step}/reconcile`] : []), gone],
  ['pending', 'EffectAbsent', (d, s) => (isBlocked(d, s) ? [d.step] : []), () => ({ owed: 'retry' })],
  ['retries', 'RetryDecided', 'attemptId', (d) => ({ decision: d.decision, notBefore: d.notBefore ?? null })],
  ['retries', 'VerdictApplied', (d) => (d.attemptId ? [d.attemptId] : []), (d) => ({ decision: decisionOfPeople(d), notBefore: null })],
  ['retries', 'ReviewRequested', (d) => (isOverBudget(d) ? [d.attemptId] : []), () => ({ decision: 'escalate', notBefore: null })],
  ['checkpoints', 'CheckpointReached', 'name', (d) => d.kind],
  ['effects', 'EffectIntended', 'key', (d) => ({ suffix: d.suffix, status: 'intended', fingerprint: d.fingerprint, result: null })],
  ['effects', 'EffectConfirmed', 'key', (d, was, s) => ({ status: 'confirmed', result: resultOf(d, s) })],
  ['effects', 'EffectAbsent', 'key', () => ({ status: 'absent' })],
  ['effects', 'EffectUnknown', 'key', () => ({ status: 'unknown' })],
  ['effects', 'EffectCompensated', 'key', () => ({ status: 'compensated' })],
  ['used', 'WaitTriggered', (d) => [canon([d.step, d.eventId])], () => true],
  ['late', 'LateResultRecorded', (d) => [canon([d.attemptId, d.replyId])], () => true],
  ['spend', 'StepStarted StepSucceeded StepFailed LateResultRecorded', (d) => [d.step, ''], spent],
  ['pending', 'StepStarted StepSkipped', 'step', gone],
  ['pending', 'StepStarted', (d) => (d.effect ? [d.step] : []), (d) => ({ key: d.effect.key })],
  ['pending', 'EffectIntended', 'step', (d) => ({ key: d.key })],
  ['pending', 'StepFailed', 'step', (d) => ({ owed: 'retry', attemptId: d.attemptId })],
  ['pending', 'BranchOpened', goneOn, () => ({ owed: undefined })],
  ['pending', 'RetryDecided', 'step', (d, { key = '' }, s) => ({ owed: owedAfter(d.decision, s.effects[key]) })],
  ['last', 'StepFailed', () => ['failure'], (d, was, s, { at }) => !(at < was.at) && { at, attemptId: d.attemptId, bucket: null }],
  ['last', 'RetryDecided', () => ['failure'], (d, was) => d.attemptId === was.attemptId && { bucket: d.bucket }],
  ['last', ENDS, () => ['outcome'], (d, was, s, { type }) => OUTCOMES[type] ?? d.outcome],
];

/** The step has failed over this effect. */
const isOver = ({ step, key }, s) =>
  s.last.outcome === undefined && s.pending[step]?.attemptId !== undefined && s.pending[step].key === key;
const isOwed = (d, s) => isOver(d, s) && s.steps[d.step]?.status === 'failed';
const isBlocked = (d, s) => isOwed(d, s) && ![undefined, 'retry'].includes(s.pending[d.step].owed);
/** People stand in the place of a policy's branch: the run may have no more unasked. */
const isOverBudget = ({ why, attemptId }) => why === 'budget' && attemptId !== undefined;
/** What became of it is found out later, by another attempt or a person. */
const foundOut = (d, s) => d.by !== 'reply' && isOwed(d, s);
const resultOf = (d, s) => (d.by === 'reply' ? outputDigest(s, d.step) : digestOf(d.receipt ?? null));
const succeeded = (output = null) => ({ status: 'succeeded', output });
function stubbed({ output, outputRef, skipped }, { attempts = 0 }) {
  return { attempts, ...(skipped ? { status: 'skipped', output: null } : succeeded(outputRef ?? output)) };
}
const afterDeadline = (then) => ('value' in then ? succeeded(then.value) : 'step' in then ? succeeded({ trigger: 'deadline' }) : {});
const outputOfVerdict = ({ by, edits, input, reason, verdict }) =>
  Object.fromEntries(Object.entries({ by, edits, input, reason, verdict }).filter(([, value]) => value !== undefined));
const outputDigest = (s, step) => s.artifacts[step]?.slice('sha256:'.length) ?? digestOf(s.steps[step].output);

/** The changes of one kind, with the rest of their paths as lists. */
const changesOf = ({ changes }, kind) =>
  changes
    .map(({ path, ...op }) => ({
      ...op,
      path: path
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
    }))
    .filter(({ path }) => path.shift() === kind);

function overridden(d, was, s, now, step) {
  return {
    ...succeeded(changesOf(d, 'outputs').findLast(({ path }) => path[0] === step).value),
    attempts: was.attempts ?? 0,
  };
}

/** RFC 6902, of which `add`, `replace` and `remove` are used. */
function patched(value, ops) {
  const holder = JSON.parse(JSON.stringify({ value }));
  for (const { op, path, value: given } of ops) {
    const names = ['value', ...path];
    const last = names.pop();
    const within = names.reduce((at, name) => at[name], holder);
    if (Array.isArray(within))
      within.splice(last === '-' ? within.length : Number(last), op === 'add' ? 0 : 1, ...(op === 'remove' ? [] : [given]));
    else if (op === 'remove') delete within[last];
    else within[last] = given;
  }
  return holder.value;
}

/** Open reviews that a branch does not carry. */
function notCarried({ carried: { reviews = [] } }, s) {
  return Object.keys(s.asked).filter((id) => !reviews.includes(id));
}

/** Steps that are owed nothing on a branch: their failure is not carried, or the output that a verdict withheld is given. */
function goneOn(d, s) {
  const given = changesOf(d, 'outputs').map(({ path: [step] }) => step);
  const { failures } = d.carried;
  return Object.keys(s.pending).filter((step) => {
    const { attemptId } = s.pending[step];
    return attemptId === undefined ? given.includes(step) : !failures.includes(attemptId);
  });
}

function outputOfWait({ mode, keepOpen, came }, triggers) {
  const ended = came.filter(({ trigger }) => triggers.includes(trigger));
  const views = ended.map(({ at, data = null, dataRef, trigger }) => ({ at, data: dataRef ?? data, trigger }));
  return mode === 'any' && !keepOpen ? views[0] : views;
}

function spent({ usage }, { attempts = 0, tokens = 0, usd = 0 }, s, { type }) {
  const { usd: more = 0, tokensIn = 0, tokensOut = 0 } = usage ?? {};
  return { attempts: attempts + (type === 'StepStarted' ? 1 : 0), tokens: tokens + tokensIn + tokensOut, usd: usd + more };
}

const afterDecision = (d) => (d.then === 'block' || d.attemptId ? {} : succeeded(outputOfVerdict(d)));

/** The wait that has named a review, which opens again. */
function askedBy({ then, attemptId, step }, { detours }) {
  return then === 'again' && !attemptId ? Object.keys(detours).filter((wait) => detours[wait] === step) : [];
}

const waitOf = ({ waits }, step) => Object.keys(waits).find((id) => waits[id].step === step);

/** What had been enough is asked for anew. */
function forgotten(d, { open, got }, { opened }, now, id) {
  const { mode, k, triggers, came } = opened[id];
  const least = { any: 1, all: triggers.length, atLeast: k }[mode];
  if (open || new Set(came.map(({ trigger }) => trigger)).size < least) return { got };
  opened[id] = { ...opened[id], came: [] };
  return { got: [] };
}

/** What people decided about a failure, in the words of policies. */
const decisionOfPeople = ({ then }) =>
  ({ again: 'retry', branch: 'retry_modified', fallback: 'fallback', reduce: 'reduce_scope', give_up: 'give_up' })[then.split(':')[0]];

function afterVerdict(d) {
  if (d.attemptId) return { owed: owedAfter(decisionOfPeople(d)) };
  return d.then === 'block' ? { owed: 'awaiting_decision' } : undefined;
}

function owedAfter(decision, effect) {
  const operator = effect?.status === 'unknown' ? 'effect_unknown' : 'awaiting_decision';
  return { retry: 'retry', retry_modified: 'retry', fallback: 'retry', block: operator, escalate: operator }[decision];
}

/** State and sub-state: the first that holds. */
function judge({ run, attempts, waits, pending, opened, asked, last }) {
  const numbers = Object.values(attempts).map(({ n }) => n);
  const owed = Object.values(pending).flatMap((step) => step.owed ?? []);
  const open = Object.keys(waits).filter((waitId) => waits[waitId].open);
  if (last.outcome !== undefined) return ['complete', last.outcome];
  if (run.paused) return ['blocked', 'paused'];
  const whys = (reviews) => [...new Set(reviews.map(({ why }) => why))].sort().join('+');
  const escalated = Object.values(asked).filter((review) => review.escalated);
  if (escalated.length > 0) return ['escalated', whys(escalated)];
  for (const sub of ['effect_unknown', 'awaiting_decision']) if (owed.includes(sub)) return ['blocked', sub];
  if (numbers.includes(1)) return ['active', null];
  if (numbers.length + owed.length > 0) return ['retrying', last.failure?.bucket ?? null];
  if (Object.keys(asked).length > 0) return ['in_review', whys(Object.values(asked))];
  const kinds = new Set(open.flatMap((waitId) => opened[waitId].triggers.map(({ kind }) => kind)));
  return open.length === 0 ? ['active', null] : ['waiting', [...kinds].sort().join('+')];
}

/** A slice's entries, each a number, in one sum. */
function sumOf(s, slice) {
  let sum = 0n;
  for (const [key, entry] of Object.entries(s[slice])) {
    const counted = slice === 'steps' && entry.status === 'succeeded' ? { ...entry, output: outputDigest(s, key) } : entry;
    sum += BigInt(`0x${digestOf([slice === 'used' || slice === 'late' ? JSON.parse(key) : key, counted])}`);
  }
  return (sum % 2n ** 256n).toString(16).padStart(64, '0');
}

export class State {
  status = {};
  /** Of a shadow: what the run had spent when it was announced. */
  spentBefore;
  /** Shadows whose own spend counts in the run. */
  counted = new Set();
  slices = Object.fromEntries(Object.values(SLICES).flatMap((names) => names.map((name) => [name, Object.create(null)])));

  /** What a branch is before its first event: the path of its parent at the fork, the ledger of the head that it follows. */
  static beginning(parent, predecessor, isShadow) {
    const state = new State();
    const copied = (slice) => Object.assign(Object.create(null), slice); // Entries are never changed, only replaced.
    for (const name of [...SLICES.path, ...SLICES.aside]) state.slices[name] = copied(parent.slices[name]);
    for (const name of SLICES.ledger) state.slices[name] = copied(predecessor.slices[name]);
    state.counted = new Set(predecessor.counted);
    if (isShadow) state.spentBefore = copied(predecessor.slices.spend);
    state.countSpendOf(parent, isShadow);
    const { attempts, carried, waits } = state.slices;
    for (const id of Object.keys(attempts)) attempts[id] = predecessor.slices.attempts[id] ?? attempts[id]; // Whoever took it has it.
    // What came after the fork is carried by the first event, or not at all.
    for (const [id, { got }] of Object.entries(predecessor.slices.waits))
      for (const eventId of got) if (waits[id]?.got.includes(eventId) !== true) delete carried[eventId];
    delete state.slices.last.outcome;
    state.slices.run.paused = !isShadow && predecessor.slices.run.paused; // Paused is the run, of which a shadow is no part.
    state.status = parent.status;
    return state;
  }

  /** What a shadow spent on its own is the run's as soon as a branch grows from it: once, by the first that acts. */
  countSpendOf({ place, spentBefore, slices }, isShadow) {
    if (spentBefore === undefined || this.counted.has(place.branch)) return;
    const nothing = { attempts: 0, tokens: 0, usd: 0 };
    for (const [step, all] of Object.entries(slices.spend)) {
      const [so, before] = [this.slices.spend[step] ?? nothing, spentBefore[step] ?? nothing];
      const own = (member) => so[member] + (all[member] - before[member]);
      this.slices.spend[step] = { attempts: own('attempts'), tokens: own('tokens'), usd: own('usd') };
    }
    if (!isShadow) this.counted.add(place.branch);
  }

  apply({ type, version, revision, data, metadata }) {
    const rows = version === 1 ? table.filter(([, types]) => types.split(' ').includes(type)) : [];
    if (rows.length === 0) throw new Error(`@${revision}: the page has no ${type} of version ${version}`);
    for (const [slice, , key, entry] of rows)
      for (const name of typeof key === 'string' ? [data[key]] : key(data, this.slices, metadata)) {
        const was = this.slices[slice][name];
        const said = entry(data, was ?? {}, this.slices, { type, ...metadata }, name);
        if (said === undefined) delete this.slices[slice][name];
        else this.slices[slice][name] = Object(was) === was ? { ...was, ...said } : said;
      }
    const [state, sub] = judge(this.slices);
    if (this.status.state !== state || this.status.sub !== sub) this.status = { state, sub, since: metadata.at };
    this.place = { run: metadata.runId, branch: metadata.branch, revision };
  }

  get digest() {
    return sha256(canon(['ledger', 'path'].flatMap((half) => SLICES[half].map((name) => [`${half}.${name}`, sumOf(this.slices, name)]))));
  }

  /** What `cairn run state --json` shows. */
  get view() {
    const half = (name) => Object.fromEntries(SLICES[name].map((slice) => [slice, this.slices[slice]]));
    return { ...this.place, ...this.status, path: half('path'), ledger: half('ledger'), stateDigest: this.digest };
  }
}
