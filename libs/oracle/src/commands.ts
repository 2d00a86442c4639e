import { canon, epochMsOf, idOf, prefixedSha256, sha256Hex, type StoredEvent } from '@cairn/kernel';
import type { BranchPoint, RecordedRunEvent, RunState } from '@cairn/domain-run';
import { isControl, type Branch } from './branch.js';
import type { Inbox } from './inbox.js';
import type { Limits, RunHistory } from './history.js';
import type { Report } from './report.js';

/** I-28: every inbound event shows exactly once in what it did, and its receipt says the same. */
export function checkInbox(
  history: RunHistory,
  branches: readonly Branch[],
  inbox: Inbox,
  when: 'live' | 'quiescent',
  reportOn: (branch: string) => Report,
): void {
  const report = reportOn('main');
  for (const says of inbox.malformed) report('I-28', 0, says);
  const did = whatEventsDid(branches, reportOn);
  for (const { receiptId, ns, source, id, lines } of inbox.receipts.values()) {
    if (receiptId !== idOf('receipt', ns, source, id)) report('I-28', 0, `receipt ${receiptId} is not that of ${source} ${id}`);
    if (when === 'quiescent' && lines.length === 0) report('I-28', 0, `receipt ${receiptId} never got an outcome`);
    for (const { outcome, runs } of lines) {
      const here = runs.some(({ run }) => run === history.runId);
      if (here && (outcome === 'started' || outcome === 'woke') && did.get(receiptId)?.has(outcome) !== true) {
        report('I-28', 0, `receipt ${receiptId} says ${outcome}, and no event here shows it`);
      }
    }
  }
  if (when === 'live') return; // The line follows the append.
  for (const [receiptId, outcomes] of did) {
    for (const outcome of outcomes) {
      const line = inbox
        .received(receiptId)
        ?.lines.find((told) => told.outcome === outcome && told.runs.some(({ run }) => run === history.runId));
      if (line === undefined) report('I-28', 0, `event ${receiptId} ${outcome} this run and its receipt does not say so`);
    }
  }
}

/**
 * A branch may use an event again that it was given to carry, or that one before it was given and had not come to at the fork (U-4). `used`:
 * the branch and revision where it had its effect.
 */
function isCarried(branches: ReadonlyMap<string, Branch>, branch: Branch, eventId: string, used: BranchPoint): boolean {
  const [opened] = branch.events;
  if (opened?.type !== 'BranchOpened') return false;
  if (opened.data.carried.events.includes(eventId)) return true;
  const { parent } = opened.data;
  const before = branches.get(parent.branch);
  if (before === undefined || (used.branch === parent.branch && used.revision <= parent.revision)) return false;
  return isCarried(branches, before, eventId, used);
}

type Deed = 'started' | 'woke' | 'attached';

/** Receipt id -> what it did to this run. */
function whatEventsDid(branches: readonly Branch[], reportOn: (branch: string) => Report): Map<string, Set<Deed>> {
  const did = new Map<string, Set<Deed>>();
  const note = (receiptId: string, outcome: Deed): void => void did.set(receiptId, (did.get(receiptId) ?? new Set()).add(outcome));
  const appends = new Map<string, BranchPoint>();
  const byName = new Map(branches.map((branch) => [branch.name, branch]));
  for (const branch of branches) {
    const report = reportOn(branch.name);
    for (const event of branch.events) {
      if (event.type === 'RunStarted') note(event.data.cause.receiptId, 'started');
      if (isControl(event)) {
        const { causationId, revision } = event;
        if (did.get(causationId)?.has('attached') === true) report('I-28', revision, `${causationId} did something to the whole run twice`);
        note(causationId, 'attached');
      }
      if (event.type !== 'WaitTriggered' || event.data.source === undefined) continue;
      note(event.data.eventId, 'woke');
      const key = canon([event.data.waitId, event.data.eventId]);
      const append = { branch: branch.name, revision: branch.stored[event.revision]!.metadata.appendFirst };
      const before = appends.get(key);
      const isSame = before?.branch === append.branch && before.revision === append.revision;
      if (before !== undefined && !isSame && !isCarried(byName, branch, event.data.eventId, before)) {
        const says = `event ${event.data.eventId} had its effect on ${event.data.step} already at ${before.branch}@${before.revision}`;
        report('I-28', event.revision, says);
      }
      appends.set(key, append);
    }
  }
  return did;
}

/** I-29: the run's id follows from its start key, so one key has one run; and it starts once. */
export function checkStart(history: RunHistory, branch: Branch, report: Report): void {
  branch.events.forEach((event, i) => {
    if (event.type === 'RunStarted' && i > 0) report('I-29', i, 'the run starts a second time');
  });
  const first = branch.events[0];
  if (first === undefined) return;
  if (first.type !== 'RunStarted') return report('I-29', 0, `the run begins with ${first.type}`);
  const { ns, workflow, key, cause } = first.data;
  const byEvent = idOf('run-event', ns, workflow, cause.source, cause.id);
  const byKey = key === undefined ? byEvent : idOf('run', ns, workflow, key);
  // `duplicates: new_run` keeps the key and takes the id of the event.
  if (history.runId !== byKey && history.runId !== byEvent)
    report('I-29', 0, `run id ${history.runId} follows neither from key ${key ?? '(none)'} nor from the event`);
}

/** I-31: once everything has had its time, a run is over, waits for something that can still come, or shows why it is blocked. */
export function checkNotStuck(history: RunHistory, state: RunState, limits: Limits, report: Report): void {
  if (state.revision < 0 || state.superseded !== null) return;
  const { state: name, sub } = state.status;
  const open = [...state.path.waits.values()].filter((wait) => wait.open);
  const allowed =
    name === 'complete' ||
    (name === 'blocked' && sub !== null) ||
    (name === 'waiting' && open.length > 0) ||
    name === 'in_review' ||
    name === 'escalated';
  if (!allowed) report('I-31', state.revision, `stuck: ${name}, and nobody has anything left to do`);
  else if (name !== 'complete') checkNothingOwed(state, report);
  if (history.readAt === undefined || name === 'complete') return;
  const latest = history.readAt - limits.overdueMs;
  for (const { step, opened, got, stale } of open) {
    const forgotten = (what: string, at: string | null): void => {
      if (at !== null && epochMsOf(at) < latest) report('I-31', state.revision, `stuck: ${what} of wait ${step} was due at ${at}`);
    };
    forgotten('the deadline', opened.deadline);
    if (stale === null) forgotten('the staleness', opened.staleAt);
    opened.triggers.forEach((trigger, i) => {
      if (trigger.kind === 'timer' && !got.some((one) => one.trigger === i)) forgotten(`timer ${i}`, trigger.at);
    });
  }
}

/** One thing that is blocked or waits does not excuse another that should have moved. Nothing has to start while the run is paused. */
function checkNothingOwed({ path, revision }: RunState, report: Report): void {
  for (const { step, decision, settled } of path.retries.values()) {
    if (!settled && decision === null) report('I-31', revision, `stuck: nobody judged the failure of ${step}`);
    if (!settled && decision !== null && decision !== 'block' && decision !== 'escalate' && !path.paused)
      report('I-31', revision, `stuck: the next attempt of ${step} never began`);
  }
  if (path.paused) return;
  for (const { step, n } of path.attempts.values()) report('I-31', revision, `stuck: attempt ${n} of ${step} is open, and nobody has it`);
}

/** I-33: what the run is bound to existed, and is what it was called. */
export function checkPins(history: RunHistory, branch: Branch, path: readonly RecordedRunEvent[], report: Report): void {
  const [started] = path;
  if (started?.type !== 'RunStarted') return;
  const { ns, definition } = started.data;
  const policies = [...started.data.policies];
  const pinned = (
    revision: number,
    pin: PinnedDocument,
    streams: readonly StoredEvent[] | undefined,
    category: 'workflow' | 'policy',
  ): void => {
    if (streams === undefined) return;
    const applied = streams.find((event) => event.stream === `${category}-${ns}+${pin.name}` && event.revision === pin.revision);
    if (applied === undefined)
      return report('I-33', revision, `${category} ${pin.name}@${pin.version} (revision ${pin.revision}) does not exist`);
    const document = applied.data[category === 'workflow' ? 'definition' : 'policy'];
    const actual = document === undefined ? applied.data['hash'] : prefixedSha256(sha256Hex(canon(document)));
    if (applied.data['hash'] !== pin.hash || actual !== pin.hash)
      report('I-33', revision, `${category} ${pin.name}@${pin.version} does not hash to ${pin.hash}`);
  };
  if (branch.events[0] === started) {
    pinned(0, definition, history.definitions, 'workflow');
    for (const policy of policies) pinned(0, policy, history.policies, 'policy');
  }
  for (const event of path) {
    if (event.type !== 'BranchOpened') continue;
    policies.push(...(event.data.policies ?? []));
    if (event !== branch.events[0]) continue; // Of the others it is said there.
    if (event.data.definition !== undefined) pinned(0, event.data.definition, history.definitions, 'workflow');
    for (const policy of event.data.policies ?? []) pinned(0, policy, history.policies, 'policy');
  }
  for (const event of branch.events) {
    if (event.type !== 'RetryDecided') continue;
    const { policy } = event.data;
    if (!policies.some(({ name, hash }) => name === policy.name && hash === policy.hash)) {
      report('I-33', event.revision, `a retry was decided by ${policy.name}@${policy.version}, which this run has not pinned`);
    }
    pinned(event.revision, policy, history.policies, 'policy');
  }
}

type PinnedDocument = { readonly name: string; readonly version: string | number; readonly hash: string; readonly revision: number };
