import { NEAR_MISSES_MAX, type EventControl, type Problem, type ReceiptLine } from '@cairn/domain-schedule';
import { refused } from '@cairn/domain-schedule/decider';
import { runStream, type Id } from '@cairn/kernel';
import type { Clock, EventStore } from '@cairn/ports';
import type { DefinitionShelf } from '../definitions/definition-shelf.js';
import type { ExecutionDesk } from '../execution-desk.js';
import { inParallel } from '@cairn/application';
import type { Mutants } from '../mutants.js';
import type { OpenWait } from '../working-set/open-waits.js';
import type { SchedulingSet } from '../working-set/scheduling-set.js';
import { absentRun } from './absent-run.js';
import { directStart } from './direct-start.js';
import type { Inbound } from './inbound.js';
import { keep } from './keep.js';
import { nearMissesOf } from './near-misses.js';
import { controlRun } from './run-control.js';
import { startRun, wantedBy, type WantedRun } from './starts.js';
import { matchWait, type Waker, type WakeResult } from './wakes.js';

export interface MatcherParts {
  readonly ports: { readonly store: EventStore; readonly clock: Clock };
  readonly set: SchedulingSet;
  readonly shelf: DefinitionShelf;
  readonly desk: ExecutionDesk;
  readonly waker: Waker;
  readonly mutants: Mutants;
}

/**
 * Finds out what an accepted event does, and does it. Everything may be done again: runs have the ids of their keys, a wait step
 * uses an event once. Throws faults; the receipt then stays open for the next sweep.
 */
export class Matcher {
  constructor(private readonly parts: MatcherParts) {}

  /** `folded` resolves when this instance's tail has delivered the receipt: only then is "nothing happened" true. */
  linesFor(inbound: Inbound, folded: Promise<void>): Promise<readonly ReceiptLine[]> {
    const { target, control, callback } = inbound.receipt.event;
    if (control !== undefined) return this.control(inbound, control);
    if (callback !== undefined) return this.signal(inbound, callback.runId, folded);
    switch (target?.kind) {
      case 'start':
        return this.startDirectly(inbound, target.workflow, folded);
      case 'signal':
        return this.signal(inbound, target.runId, folded);
      case undefined:
        return this.match(inbound, folded);
    }
  }

  private async startDirectly(inbound: Inbound, name: string, folded: Promise<void>): Promise<readonly ReceiptLine[]> {
    const { shelf, desk } = this.parts;
    let workflow = await shelf.workflow(inbound.ns, name);
    if (workflow === undefined) {
      await folded;
      workflow = await shelf.workflow(inbound.ns, name);
    }
    if (workflow === undefined) return [refused({ code: 'workflow_not_found', detail: `no definition of ${name} was applied` })];
    const wanted = directStart(workflow, inbound.data);
    return [isProblem(wanted) ? refused(wanted) : await startRun(desk, inbound, wanted)];
  }

  /** What is for one run: a signal, or the use of a link. */
  private async signal(inbound: Inbound, runId: Id, folded: Promise<void>): Promise<readonly ReceiptLine[]> {
    const { set, ports } = this.parts;
    await folded;
    const live = set.runs.get(runId);
    if (live !== undefined && live.ns === inbound.ns) return this.wakeKeepTell(inbound, []);
    const [first] = live === undefined ? await ports.store.read(runStream(runId, 'main'), 0, 0) : [];
    if (first === undefined || first.metadata.ns !== inbound.ns) return [await absentRun(ports.store, inbound.ns, runId)];
    return [{ outcome: 'late', runs: [{ run: runId }], nearMisses: [], problem: { code: 'run_ended', detail: `run ${runId} has ended` } }];
  }

  private async control(inbound: Inbound, control: EventControl): Promise<readonly ReceiptLine[]> {
    const { ports, desk } = this.parts;
    return [await controlRun({ store: ports.store, desk }, inbound, control)];
  }

  private async match(inbound: Inbound, folded: Promise<void>): Promise<readonly ReceiptLine[]> {
    const { shelf, desk } = this.parts;
    await folded;
    const lines: ReceiptLine[] = [];
    const asked = new Set<string>();
    for (const start of await shelf.startsOf(inbound.ns, inbound.receipt.event.type)) {
      const { name } = start.workflow.pinned;
      const wanted = asked.has(name) ? undefined : wantedBy(start, inbound);
      if (wanted === undefined) continue;
      asked.add(name); // The first trigger of a workflow that wants the event speaks for it.
      lines.push(isProblem(wanted) ? refused(wanted) : await startRun(desk, inbound, wanted));
    }
    return this.wakeKeepTell(inbound, lines);
  }

  /** Offers the event to every open wait it matches, keeps it, and says what came of it. */
  private async wakeKeepTell(inbound: Inbound, starts: readonly ReceiptLine[]): Promise<readonly ReceiptLine[]> {
    const { set, ports, shelf, mutants } = this.parts;
    const { ns, receiptId } = inbound;
    const { type, key } = inbound.receipt.event;
    // What begins by an event does not wait for that very event.
    const begun = (outcome: string): boolean => outcome === 'started' || outcome === 'branched';
    const started = new Set(starts.flatMap(({ outcome, runs }) => (begun(outcome) ? runs.map(({ run }) => run) : [])));
    const wanting = set.waits
      .wanting(ns, type, key)
      .filter((wait) => !started.has(wait.runId) && set.runs.get(wait.runId)?.began?.causedBy !== receiptId);
    const results = await this.offer(inbound, wanting);
    const lines = [...starts, ...this.linesOf(inbound, results)];
    const didSomething = lines.some(({ outcome }) => outcome !== 'refused' && outcome !== 'late');
    // Who was refused is told so, and not that somebody may want it yet.
    if (!didSomething && lines.some(({ outcome }) => outcome === 'refused')) return lines;
    const keptUntil = await keep(ports, shelf, mutants, inbound);
    if (didSomething) return lines;

    const kept = keptUntil === undefined ? {} : { keptUntil };
    const broken = results.flatMap((result) => (result.kind === 'near' ? [result.miss] : []));
    const nearMisses = [...broken, ...nearMissesOf(inbound, set.waits.ofType(ns, type))].slice(0, NEAR_MISSES_MAX);
    if (nearMisses.length > 0) return [...lines, { outcome: 'near_miss', runs: [], nearMisses, ...kept }];
    if (keptUntil !== undefined) return [...lines, { outcome: 'kept', runs: [], nearMisses: [], keptUntil }];
    return lines.length > 0 ? lines : [{ outcome: 'unmatched', runs: [], nearMisses: [] }];
  }

  private async offer(inbound: Inbound, waits: readonly OpenWait[]): Promise<WakeResult[]> {
    const results: WakeResult[] = [];
    await inParallel(waits, async (wait) => {
      const match = matchWait(wait, inbound);
      if ('trigger' in match) results.push(await this.parts.waker.wake(wait, match.trigger, inbound, false));
    });
    return results;
  }

  private linesOf({ receiptId }: Inbound, results: readonly WakeResult[]): ReceiptLine[] {
    const lines: ReceiptLine[] = [];
    const woke = results.flatMap((result) => (result.kind === 'woke' ? [result.run] : []));
    // What a wake before a crash did stands in the run's history, and not on the receipt yet.
    const told = [...this.parts.set.untold.values()].flatMap((wake) => (wake.receiptId === receiptId ? [wake.run] : []));
    const late = results.flatMap((result) => (result.kind === 'late' ? [result.run] : []));
    const runs = [...new Map([...told, ...woke].map((run) => [`${run.run} ${run.wait}`, run])).values()];
    if (runs.length > 0) lines.push({ outcome: 'woke', runs, nearMisses: [] });
    if (late.length > 0) lines.push({ outcome: 'late', runs: late, nearMisses: [] });
    for (const result of results) if (result.kind === 'refused') lines.push({ ...refused(result.problem), runs: [result.run] });
    return lines;
  }
}

const isProblem = (wanted: WantedRun | Problem): wanted is Problem => 'code' in wanted;
