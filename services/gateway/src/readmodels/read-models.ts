import type { DefinitionSummary } from '@cairn/contracts';
import { canonicalLines, Generations, type Folding } from '@cairn/application';
import type { Id, StoredEvent } from '@cairn/kernel';
import { eventSchemas, type RunEvent } from '@cairn/domain-run';
import type { BundleImported } from '@cairn/domain-schedule';
import { LifecycleMetrics } from '../lifecycle-metrics/lifecycle-metrics.js';
import { NearMissRows } from './near-miss-rows.js';
import { eventSchemas as reviewSchemas } from '@cairn/domain-review';
import { PolicyRows } from './policy-rows.js';
import { ReviewRows } from './review-rows.js';
import { RunRow } from './run-row.js';
import { WaitRow } from './wait-row.js';

/** Types that the read models fold: everything of runs and reviews, definitions, policies, and what became of inbound events. */
export const foldedTypes: readonly string[] = [
  ...new Set([...Object.keys(eventSchemas), ...Object.keys(reviewSchemas)].map((key) => key.slice(0, key.indexOf('@')))),
  'DefinitionApplied',
  'PolicyApplied',
  'ReceiptSettled',
  'BundleImported',
];

/** Ends kept in memory: a second's worth on a busy system. Others are read from the store. */
const ENDS_KEPT_MAX = 2_000;

/** Hears of runs that moved. */
interface Announces {
  announce(run: Id): void;
}

const nobody: Announces = { announce: () => undefined };

/**
 * What lists show, in memory, folded from the store's tail: rows of runs, open waits, applied definitions and policies. May lag behind
 * the store; whoever needs a run as it is now reads its stream (`RunReader`). Rebuilt from nothing at any time.
 */
export class ReadModels implements Folding {
  readonly policies = new PolicyRows();
  readonly nearMisses = new NearMissRows();
  readonly reviews = new ReviewRows();
  private rows = new Map<Id, RunRow>();
  /** In the order in which runs started, which is that of commits: what cursors count in. */
  private order: RunRow[] = [];
  private waits = new Map<Id, WaitRow>();
  /** Where to find a wait that is closed: in its run's history. */
  private runOfWait = new Map<Id, Id>();
  private definitions = new Map<string, DefinitionSummary & { readonly ns: string }>();

  /** Last events of runs that ended lately: whoever waited for the end asks for it next. */
  private ends = new Generations<Id, StoredEvent>(ENDS_KEPT_MAX);

  constructor(
    /** Told of every event of a run, and of its end. */
    private readonly tell: { readonly changes: Announces; readonly ends: Announces },
    private readonly metrics: LifecycleMetrics,
  ) {}

  /** Folds one event of the tail. */
  fold(event: StoredEvent): void {
    const run = event.metadata.runId;
    if (run === undefined) {
      if (this.reviews.apply(event)) return;
      if (event.type === 'DefinitionApplied') this.applyDefinition(event);
      else if (event.type === 'PolicyApplied') this.policies.apply(event);
      else if (event.type === 'BundleImported') this.applyImport(event.data as unknown as BundleImported['data']);
      else if (event.type === 'ReceiptSettled') {
        if (this.metrics.ofReceipt(event)) this.nearMisses.apply(event);
      }
      return;
    }
    let row = this.rows.get(run);
    if (row === undefined || row.imported !== undefined) row = this.place(new RunRow(run)); // One's own counts before an imported one.
    const { state, entered } = row;
    if (!row.apply(event)) return;
    const told = event as StoredEvent & RunEvent;
    this.metrics.ofRun(told, row, state, entered);
    this.applyToWaits(told, row);
    this.tell.changes.announce(run);
    if (row.endRevision !== event.revision) return;
    this.ends.set(run, event);
    this.tell.ends.announce(run);
  }

  /** The event that ended a run, if that was lately. */
  endOf(run: Id): StoredEvent | undefined {
    return this.ends.get(run);
  }

  row(run: Id): RunRow | undefined {
    return this.rows.get(run);
  }

  /** Rows of a namespace from the newest, beginning before position `before` (default: the end); stops when `take` says so. */
  newestFirst(before: number | undefined, take: (row: RunRow, position: number) => boolean): void {
    for (let position = Math.min(before ?? this.order.length, this.order.length) - 1; position >= 0; position--) {
      if (!take(this.order[position]!, position)) return;
    }
  }

  openWaits(): IterableIterator<WaitRow> {
    return this.waits.values();
  }

  runOf(wait: Id): Id | undefined {
    return this.runOfWait.get(wait);
  }

  definitionsOf(ns: string): DefinitionSummary[] {
    return [...this.definitions.values()]
      .filter((definition) => definition.ns === ns)
      .map(({ name, version, hash, appliedAt }) => ({ name, version, hash, appliedAt }));
  }

  /** Everything that lists and lifecycle metrics are made of; the ends kept in memory are events and no fold. */
  lines(): readonly string[] {
    return canonicalLines(this.entries());
  }

  /** One that tells nobody and shows nothing. */
  fresh(): ReadModels {
    return new ReadModels({ changes: nobody, ends: nobody }, new LifecycleMetrics());
  }

  /** Goes on from what another fold of the same history holds. */
  adopt(anew: ReadModels): void {
    this.rows = anew.rows;
    this.order = anew.order;
    this.waits = anew.waits;
    this.runOfWait = anew.runOfWait;
    this.definitions = anew.definitions;
    this.ends = anew.ends;
    this.policies.adopt(anew.policies);
    this.nearMisses.adopt(anew.nearMisses);
    this.reviews.adopt(anew.reviews);
    this.metrics.adopt(anew.metrics);
  }

  private *entries(): Iterable<readonly [kind: string, key: string | number, value: unknown]> {
    for (const [position, row] of this.order.entries()) yield ['run', row.run, [position, row]];
    for (const [id, wait] of this.waits) yield ['wait', id, wait];
    for (const [wait, run] of this.runOfWait) yield ['run of wait', wait, run];
    for (const [key, definition] of this.definitions) yield ['definition', key, definition];
    yield* this.policies.entries();
    yield* this.nearMisses.entries();
    yield* this.reviews.entries();
    yield* this.metrics.entries();
  }

  private applyImport(imported: BundleImported['data']): void {
    const known = this.rows.get(imported.runId);
    if (known === undefined || known.imported !== undefined) this.place(RunRow.ofImport(imported));
  }

  /** Puts a row where the run's row was, or behind all others. */
  private place(row: RunRow): RunRow {
    const before = this.rows.get(row.run);
    this.rows.set(row.run, row);
    if (before === undefined) this.order.push(row);
    else this.order[this.order.indexOf(before)] = row;
    return row;
  }

  private applyToWaits(event: StoredEvent & RunEvent, row: RunRow): void {
    switch (event.type) {
      case 'WaitOpened':
        this.waits.set(
          event.data.waitId,
          new WaitRow(
            row.ns,
            row.run,
            row.workflow,
            event.metadata.branch ?? row.head,
            event.data,
            event.at,
            this.waits.get(event.data.waitId),
          ),
        );
        this.runOfWait.set(event.data.waitId, row.run);
        break;
      case 'WaitTriggered':
      case 'WaitStale':
        this.waits.get(event.data.waitId)?.apply(event);
        break;
      case 'WaitWithdrawn':
        // Opened again in the same append, with what has come.
        if (event.data.because === 'rescheduled') this.waits.get(event.data.waitId)?.apply(event);
        else this.waits.delete(event.data.waitId);
        break;
      case 'WaitSatisfied':
      case 'WaitExpired':
        this.waits.delete(event.data.waitId);
        break;
      case 'BranchSuperseded':
        for (const waitId of event.data.spec.carried.waits) this.waits.get(waitId)?.moveTo(event.data.successor);
        break;
      default:
        break;
    }
  }

  private applyDefinition({ data, at }: StoredEvent): void {
    const { ns, name, version, hash } = data as unknown as { ns: string; name: string; version: string; hash: string };
    this.definitions.set(`${ns}+${name}`, { ns, name, version, hash, appliedAt: at });
    this.metrics.ofDefinition(ns, name);
  }
}
