import type { Branch } from './branch.js';
import type { Report } from './report.js';

/** I-21 for retries: no attempt begins before the time that its decision named. */
export function checkRetryTimes(branch: Branch, report: Report): void {
  const notBefore = new Map<string, string>();
  for (const event of branch.events) {
    if (event.type === 'RetryDecided' && event.data.notBefore !== undefined) notBefore.set(event.data.step, event.data.notBefore);
    if (event.type !== 'StepStarted') continue;
    const earliest = notBefore.get(event.data.step);
    if (earliest !== undefined && event.at < earliest) {
      report('I-21', event.revision, `attempt ${event.data.attempt} of ${event.data.step} started at ${event.at}, before ${earliest}`);
    }
    notBefore.delete(event.data.step);
  }
}
