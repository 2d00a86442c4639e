/** What must have happened somewhere in a batch of seeds, or the batch has shown less than it claims (`reliability.md` §4.1). */
export const coverageNames = [
  'late result',
  'accepted reply again',
  'append refused',
  'unknown append found',
  'unknown append not found',
  'append stored after it was given up',
  'conflict then fold again',
  'tail lagged',
  'tail repeated',
  'tail dropped',
  'subscription dropped',
  'append stream broke',
  'store frozen',
  'append stored after a freeze',
  'bus wiped',
  'message ids forgotten',
  'store outage',
  'crash of execution',
  'crash of scheduling',
  'crash of retry-policy',
  'crash before an append',
  'crash after an append',
  'execution paused and woken',
  'handler died',
  'handler stalled',
  'reply sent twice',
  'reply sent late',
  'attempt retried',
  'retries exhausted',
  'retry-policy stopped',
  'policy changed',
  'judged by an older version',
  'attempt timed out',
  'task polled',
  'retryAfter honoured',
  'limit attempts reached',
  'limit perStep reached',
  'limit perRun reached',
  'limit elapsed reached',
  'retry decided',
  'escalate decided',
  'block decided',
  'give_up decided',
  'fallback decided',
  'retry_modified decided',
  'reduce_scope decided',
  'branch opened',
  'branch begun late',
  'carried attempt settled',
  'carried wait satisfied',
  'claim granted',
  'effect confirmed',
  'effect absent',
  'effect unknown',
  'unknown effect made again',
  'unknown effect blocked',
  'reconciled as found',
  'reconciled as absent',
  'reconciled, nobody can tell',
  'booking refused after a look',
  'effect key refused',
  'answer lost after booking',
  'booking asked for again',
  'run paused',
  'run unpaused',
  'settled while paused',
  'cancelled',
  'cancel mid-effect',
  'early event used',
  'event sent twice',
  'near miss',
  'deadline passed',
  'deadline in downtime',
  'timer fired',
  'wait stale',
  'signal used',
  'step skipped',
  'run emitted',
  'run started by an emit',
  'run gave up',
  'run failed',
] as const;
export type Covered = (typeof coverageNames)[number];

export class Coverage {
  readonly counts = new Map<Covered, number>(coverageNames.map((name) => [name, 0]));

  note(name: Covered, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  add(other: Coverage): void {
    for (const [name, count] of other.counts) this.note(name, count);
  }

  /** What never happened. */
  missing(): Covered[] {
    return coverageNames.filter((name) => this.counts.get(name) === 0);
  }
}
