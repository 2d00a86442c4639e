import { Lineage } from '@cairn/domain-run';
import { runStream } from '@cairn/kernel';
import { readBranch, type Branch } from './branch.js';
import { checkEnd, checkHead, checkPauses } from './branches.js';
import { checkCauses } from './causes.js';
import { checkInbox, checkNotStuck, checkPins, checkStart } from './commands.js';
import { EffectChecks } from './effects.js';
import { checkFold } from './fold.js';
import type { Limits, RunHistory, Violation } from './history.js';
import { Inbox } from './inbox.js';
import { checkSizes, checkTimes } from './limits.js';
import { checkLog, checkPrefix } from './log.js';
import { reporterFor, type Report } from './report.js';
import { ReviewChecks } from './reviews.js';
import { RetryChecks } from './retries.js';
import { checkAttempts } from './steps.js';
import { WaitChecks } from './waits.js';
import { ancestryOf, Walk } from './walk.js';

/**
 * Every invariant of `reliability.md` §2 that this run breaks; empty when it is whole. Pure: no clock, no I/O, and it never
 * throws, whatever the history holds. `quiescent` asks more: nothing is under way any more, so nothing may be left undone.
 */
export function verifyRun(history: RunHistory, limits: Limits, when: 'live' | 'quiescent'): Violation[] {
  const violations: Violation[] = [];
  const reportOn = (branch: string): Report => reporterFor(branch, violations);
  const inbox = history.inbox === undefined ? undefined : new Inbox(history.inbox);
  const branches = [...history.branches].map(([name, stored]) => readBranch(name, stored));
  const seenIds = new Set<string>();
  const all: All = {
    history,
    branches: new Map(branches.map((branch) => [branch.name, branch])),
    lineage: new Lineage(history.runId, new Map(branches.map(({ name, events }) => [name, events]))),
    inbox,
    limits,
    when,
  };
  for (const branch of branches) {
    if (!isRooted(branch)) continue; // `checkHead` says so; there is nothing that it could be judged by.
    const report = reportOn(branch.name);
    const from = { revision: 0, prevHash: parentHash(branch, all.branches) };
    guarded(report, () => checkLog(runStream(history.runId, branch.name), branch.stored, seenIds, report, from));
    guarded(report, () => checkPrefix(history.earlier?.get(branch.name) ?? [], branch.stored, report));
    guarded(report, () => checkBranch(all, branch, report));
  }
  guarded(reportOn('main'), () => checkHead(branches, limits, when, reportOn));
  const whole = branches.every(({ parkedAt }) => parkedAt === undefined);
  if (inbox !== undefined && whole) guarded(reportOn('main'), () => checkInbox(history, branches.filter(isRooted), inbox, when, reportOn));
  return violations;
}

/** What one branch is judged by. */
interface All {
  readonly history: RunHistory;
  readonly branches: ReadonlyMap<string, Branch>;
  readonly lineage: Lineage;
  readonly inbox: Inbox | undefined;
  readonly limits: Limits;
  readonly when: 'live' | 'quiescent';
}

function checkBranch({ history, branches, lineage, inbox, limits, when }: All, branch: Branch, report: Report): void {
  const { path, ledger } = ancestryOf(branch, branches);
  const { state, whole } = checkFold(branch, lineage.before(branch.name), report);
  const walk = (): Walk => new Walk(branch, path, report);
  checkCauses(new Walk(branch, ledger, report), inbox, history.reviews);
  checkEnd(walk());
  checkAttempts(walk());
  checkPauses(new Walk(branch, ledger, report)); // Paused is the run, not a path of it.
  new RetryChecks(walk(), history.policies, when).run();
  new EffectChecks(new Walk(branch, ledger, report)).run();
  new ReviewChecks(walk(), history, when).run();
  new WaitChecks(walk(), inbox, limits).run();
  if (branch.name === 'main') checkStart(history, branch, report);
  checkPins(history, branch, [...walk().events()], report);
  checkSizes(branch, limits, report);
  checkTimes(branch, limits, report);
  if (when === 'quiescent' && whole) checkNotStuck(history, state, limits, report);
}

const isRooted = ({ name, events }: Branch): boolean => name === 'main' || events[0]?.type === 'BranchOpened';

/** What a branch's chain begins with: its parent's hash at the fork. */
function parentHash({ events: [opened] }: Branch, branches: ReadonlyMap<string, Branch>): string {
  if (opened?.type !== 'BranchOpened') return '';
  const { branch, revision } = opened.data.parent;
  return branches.get(branch)?.stored[revision]?.metadata.hash ?? '';
}

/** A history that cannot even be walked is a finding, not a crash. */
function guarded(report: Report, check: () => void): void {
  try {
    check();
  } catch (error) {
    report('I-4', 0, `cannot be read: ${error instanceof Error ? error.message : 'not an error'}`);
  }
}
