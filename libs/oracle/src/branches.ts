import { isEnd } from './steps.js';
import type { Branch } from './branch.js';
import type { Limits } from './history.js';
import type { Report } from './report.js';

/** I-9: one head, which alone acts. A second branch would have to follow from a `BranchSuperseded` on the first. */
export function checkHead(branches: readonly Branch[], limits: Limits, reportOn: (branch: string) => Report): void {
  const main = branches.find(({ name }) => name === 'main');
  if (main === undefined || main.stored.length === 0) reportOn('main')('I-9', 0, 'there is no branch main, so nothing can be the head');
  if (branches.length > limits.branches) reportOn('main')('I-9', 0, `${branches.length} branches, at most ${limits.branches}`);
  for (const { name, stored } of branches) {
    if (name === 'main' || stored.length === 0) continue;
    const announced = branches.some((other) =>
      other.stored.some(({ type, data }) => type === 'BranchSuperseded' && data['successor'] === name),
    );
    if (!announced) reportOn(name)('I-9', 0, `branch ${name} follows from no BranchSuperseded: there are two heads`);
  }
}

/** I-9: a paused run starts nothing and does not complete. Only a run that goes on can be paused, only a paused one can go on. */
export function checkPauses(branch: Branch, report: Report): void {
  let paused = false;
  for (const event of branch.events) {
    switch (event.type) {
      case 'RunPaused':
      case 'RunUnpaused':
        if (paused === (event.type === 'RunPaused'))
          report('I-9', event.revision, `${event.type} changes nothing and stands in the history`);
        paused = event.type === 'RunPaused';
        break;
      case 'StepStarted':
      case 'AttemptTaken':
      case 'WaitOpened':
      case 'EventEmitted':
        if (paused) report('I-9', event.revision, `${event.type} of ${event.data.step} while the run is paused`);
        break;
      case 'RunCompleted':
        if (paused) report('I-9', event.revision, 'the run completes while it is paused');
        break;
      default:
    }
  }
}

/** What may follow a run's end on its head, and change nothing (I-8, as far as it exists). */
const annotations: readonly string[] = ['LateResultRecorded'];

/** I-8: nothing follows an end but what is written in its margin. I-30: what is over has nothing open. */
export function checkEnd(branch: Branch, report: Report): void {
  const openWaits = new Map<string, string>();
  let ended: string | undefined;
  for (const event of branch.events) {
    if (ended !== undefined && !annotations.includes(event.type)) report('I-8', event.revision, `${event.type} after ${ended}`);
    if (event.type === 'WaitOpened') openWaits.set(event.data.waitId, event.data.step);
    if (event.type === 'WaitSatisfied' || event.type === 'WaitExpired' || event.type === 'WaitWithdrawn')
      openWaits.delete(event.data.waitId);
    if (!isEnd(event.type)) continue;
    ended ??= event.type;
    for (const step of openWaits.values()) report('I-30', event.revision, `${event.type} leaves wait ${step} open`);
  }
}
