import type { ReceiptLine } from '@cairn/domain-schedule';
import { CLOCK_SKEW_MS, epochMsOf, instantOf, type Id } from '@cairn/kernel';
import type { Clock } from '@cairn/ports';
import type { DefinitionShelf } from '../definitions/definition-shelf.js';
import type { ExecutionDesk } from '../execution-desk.js';
import type { AppliedDefinition, SchedulingSet } from '../working-set/scheduling-set.js';
import type { Inbound } from './inbound.js';
import { runIdOf, startRun, wantedBy } from './starts.js';

export interface LateDefinitionParts {
  readonly clock: Clock;
  readonly set: SchedulingSet;
  readonly shelf: DefinitionShelf;
  readonly desk: ExecutionDesk;
  readonly load: (ns: string, receiptId: Id) => Promise<Inbound | undefined>;
  readonly tell: (ns: string, receiptId: Id, lines: readonly ReceiptLine[]) => Promise<unknown>;
}

/**
 * Starts what a definition's `on` wants of the events that were kept before it was applied, as long ago as its `keep` reaches. Whichever
 * of `DefinitionApplied` and `EventKept` is later finds the earlier one. A look that met a fault stays noted for the sweep.
 */
export class LateDefinitions {
  private readonly noted = new Set<AppliedDefinition>();

  constructor(private readonly parts: LateDefinitionParts) {}

  note(definition: AppliedDefinition): void {
    this.noted.add(definition);
  }

  /** Every definition: whether its kept events were looked at stands nowhere, and a process may have ended in between. */
  noteAll(): void {
    for (const definition of this.parts.set.definitions) this.noted.add(definition);
  }

  /** Whoever kept the event may not have known what was applied since it was received. Answers whether there is any. */
  noteSince(receiptId: Id): boolean {
    const { definitions, receipts } = this.parts.set;
    const late = definitions.slice(receipts.definitionsBefore(receiptId));
    for (const definition of late) this.noted.add(definition);
    return late.length > 0;
  }

  waiting(): readonly AppliedDefinition[] {
    return [...this.noted];
  }

  /** Throws faults; the definition then stays noted. */
  async startFromKept(definition: AppliedDefinition): Promise<void> {
    this.noted.delete(definition); // Noted again meanwhile, it is looked at again.
    try {
      await this.look(definition);
    } catch (fault) {
      this.noted.add(definition);
      throw fault;
    }
  }

  private async look(definition: AppliedDefinition): Promise<void> {
    const { set, shelf, clock } = this.parts;
    const workflow = await shelf.workflow(definition.ns, definition.name);
    if (workflow?.pinned.revision !== definition.revision) return;
    const now = instantOf(clock.now());
    for (const trigger of workflow.plan.starts) {
      const since = clock.now() - trigger.keepMs;
      for (const kept of set.kept.find(definition.ns, trigger.type, undefined)) {
        if (kept.until <= now) continue;
        const received = epochMsOf(kept.receivedAt);
        if (received < since || received > epochMsOf(definition.at) + CLOCK_SKEW_MS) continue; // Later ones met the definition when they came.
        // What came before the definition starts runs, and corrects none: when each was looked at stands nowhere.
        const duplicates = trigger.duplicates === 'branch' ? 'attach' : trigger.duplicates;
        await this.start(definition.ns, kept.receiptId, { workflow, trigger: { ...trigger, duplicates } });
      }
    }
  }

  private async start(ns: string, receiptId: Id, start: Parameters<typeof wantedBy>[0]): Promise<void> {
    const { load, desk, tell } = this.parts;
    const inbound = await load(ns, receiptId);
    const wanted = inbound === undefined ? undefined : wantedBy(start, inbound);
    if (inbound === undefined || wanted === undefined || 'code' in wanted) return;
    const runId = runIdOf(inbound, wanted);
    if (inbound.receipt.lines.some(({ outcome, runs }) => outcome === 'started' && runs.some(({ run }) => run === runId))) return;
    const line = await startRun(desk, inbound, wanted);
    if (line.outcome === 'started') await tell(ns, receiptId, [line]);
  }
}
