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
import { RetryChecks } from './retries.js';
import { checkAttempts } from './steps.js';
import { WaitChecks } from './waits.js';

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
  for (const branch of branches) {
    const report = reportOn(branch.name);
    guarded(report, () => checkLog(runStream(history.runId, branch.name), branch.stored, seenIds, report));
    guarded(report, () => checkPrefix(history.earlier?.get(branch.name) ?? [], branch.stored, report));
    guarded(report, () => checkBranch(history, branch, inbox, limits, when, report));
  }
  guarded(reportOn('main'), () => checkHead(branches, limits, reportOn));
  return violations;
}

function checkBranch(
  history: RunHistory,
  branch: Branch,
  inbox: Inbox | undefined,
  limits: Limits,
  when: 'live' | 'quiescent',
  report: Report,
): void {
  const { state, whole } = checkFold(history.runId, branch, report);
  checkCauses(branch, inbox, report);
  checkEnd(branch, report);
  checkAttempts(branch, report);
  checkPauses(branch, report);
  new RetryChecks(branch, history.policies, when, report).run();
  new EffectChecks(branch, report).run();
  new WaitChecks(branch, inbox, limits, report).run();
  if (branch.name === 'main') checkStart(history, branch, report);
  checkPins(history, branch, report);
  checkSizes(branch, limits, report);
  checkTimes(branch, limits, report);
  if (inbox !== undefined && whole) checkInbox(history, branch, inbox, when, report);
  if (when === 'quiescent' && whole) checkNotStuck(history, state, limits, report);
}

/** A history that cannot even be walked is a finding, not a crash. */
function guarded(report: Report, check: () => void): void {
  try {
    check();
  } catch (error) {
    report('I-4', 0, `cannot be read: ${error instanceof Error ? error.message : 'not an error'}`);
  }
}
