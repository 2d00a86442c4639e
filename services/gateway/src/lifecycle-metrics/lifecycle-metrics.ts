import { Generations } from '@cairn/application';
import { metricNames, type RunStateName } from '@cairn/contracts';
import type { RunEvent } from '@cairn/domain-run';
import type { Id, Instant, StoredEvent } from '@cairn/kernel';
import type { Metrics } from '@cairn/ports';
import type { RunRow } from '../readmodels/run-row.js';
import { CountedMetrics } from './counted-metrics.js';
import { EffectTallies } from './effect-tallies.js';
import type { JudgedResume } from './resume.js';
import { RunCourses } from './run-courses.js';
import { RunTallies } from './run-tallies.js';

/** Lines of receipts that are remembered so that none is counted twice: far more than a tail that resubscribes tells again. */
const RECEIPT_LINES_KEPT = 65_536;

/**
 * The lifecycle metrics of `capabilities.md` §2.2 as a fold over the history: the same events in the same order give the same numbers,
 * at any time again (U-20). Resumes are told to `resumed`, since whether their checkpoint holds is not in the event at hand.
 */
export class LifecycleMetrics {
  private readonly tallies: RunTallies;
  private readonly courses: RunCourses;
  private readonly effects: EffectTallies;
  private readonly lines = new Generations<Id, true>(RECEIPT_LINES_KEPT);

  private readonly counted: CountedMetrics;

  /** `metrics`: where they are shown; a fold made anew only to be compared shows nothing. */
  constructor(metrics?: Metrics, resumed: (resume: JudgedResume) => void = () => undefined) {
    this.counted = new CountedMetrics(metrics);
    this.tallies = new RunTallies(this.counted);
    this.effects = new EffectTallies(this.counted);
    this.courses = new RunCourses(this.counted, (resume) => {
      const { ns, trigger, outcome } = resume;
      this.counted.judge(metricNames.resumes, { ns, trigger, outcome });
      resumed(resume);
    });
  }

  /** An event that `row` has just folded for the first time. `before`: the state that it was in, and since when ('' before its first event). */
  ofRun(event: StoredEvent & RunEvent, row: RunRow, before: RunStateName, entered: Instant): void {
    if (entered === '') this.tallies.enter(row);
    else if (row.state !== before) this.tallies.move(row, before, entered);
    this.courses.apply(event, row.run, row.ns, row.sub === 'paused');
    this.effects.apply(event, row.run, row.ns, row.workflow);
  }

  /** A `ReceiptSettled`. Redelivery counts nothing, and answers false. */
  ofReceipt({ eventId, metadata: { ns }, data }: StoredEvent): boolean {
    if (this.lines.get(eventId) === true) return false;
    this.lines.set(eventId, true);
    this.counted.count(metricNames.events, { ns, outcome: String(data['outcome']) });
    return true;
  }

  /** A definition was applied: its workflow exists. */
  ofDefinition(ns: string, workflow: string): void {
    this.tallies.open(ns, workflow);
  }

  /** What the fold holds and has told, for canonical lines. */
  *entries(): Iterable<readonly [kind: string, key: string, value: unknown]> {
    yield* this.tallies.entries();
    yield* this.courses.entries();
    yield* this.effects.entries();
    yield* this.counted.entries();
  }

  /** Goes on from what another fold of the same history holds. */
  adopt({ tallies, courses, effects, counted }: LifecycleMetrics): void {
    this.tallies.adopt(tallies);
    this.courses.adopt(courses);
    this.effects.adopt(effects);
    this.counted.adopt(counted);
  }

  /** Tells what is a state and no count: call it before a scrape. */
  tellGauges(): void {
    this.tallies.tellGauges();
    this.effects.tellGauges();
  }
}
