/** The bus streams as data (`architecture.md` §6). Applied by whoever owns the bus; services bind and never create. */
export interface BusStreamSpec {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'work_queue';
  /** Messages older than this are dropped by a stream with limits. */
  readonly maxAgeMs?: number;
  /** How long a message id is remembered. An optimisation: de-duplication is the history's. */
  readonly dedupeWindowMs: number;
  /** Its messages may say when they are dropped unread. */
  readonly messageTtl?: true;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

export const busStreams: readonly BusStreamSpec[] = [
  // Read at once; a day is what an outage of scheduling may last before publishers must repeat.
  { name: 'CAIRN_IN', subjects: ['cairn.*.in.>', 'cairn.*.run.>'], retention: 'limits', maxAgeMs: DAY_MS, dedupeWindowMs: 2 * MINUTE_MS },
  { name: 'CAIRN_RUN', subjects: ['cairn.*.cmd.execution.*.*', 'cairn.*.reply.*'], retention: 'work_queue', dedupeWindowMs: 2 * MINUTE_MS },
  {
    name: 'CAIRN_CMD',
    subjects: ['cairn.*.cmd.scheduling.*', 'cairn.*.cmd.retry-policy.*', 'cairn.*.cmd.human-review.*'],
    retention: 'work_queue',
    dedupeWindowMs: 2 * MINUTE_MS,
  },
  { name: 'CAIRN_WORK', subjects: ['cairn.*.work.*'], retention: 'work_queue', dedupeWindowMs: 2 * MINUTE_MS, messageTtl: true },
  { name: 'CAIRN_EVT', subjects: ['cairn.*.evt.>'], retention: 'limits', maxAgeMs: DAY_MS, dedupeWindowMs: 2 * MINUTE_MS },
  { name: 'CAIRN_DEAD', subjects: ['cairn.*.dead.>'], retention: 'limits', maxAgeMs: 14 * DAY_MS, dedupeWindowMs: 2 * MINUTE_MS },
];
