import type { WorkingSetFold } from '@cairn/application';
import { runEnds, type EventEmitted, type RetryDecided, type RunStarted, type WaitTriggered } from '@cairn/domain-run';
import type { DefinitionApplied, EventReceived, ReceiptRun, ReceiptSettled } from '@cairn/domain-schedule';
import { idOf, type Id, type Instant, type Revision, type StoredEvent } from '@cairn/kernel';
import { KeptEvents } from './kept-events.js';
import { OpenWaits } from './open-waits.js';
import { ReceiptsInHand } from './receipts-in-hand.js';

/** A run that has not ended. */
export interface LiveRun {
  readonly ns: string;
  readonly workflow: string;
  readonly startedAt: Instant;
  /** The event that it owes its existence to: that one is no answer to its own waits. */
  readonly causedBy: Id;
}

/** A version of a workflow as the history has it; the document is read when it is needed. */
export interface AppliedDefinition {
  readonly ns: string;
  readonly name: string;
  readonly version: string;
  readonly hash: string;
  readonly revision: Revision;
  readonly at: Instant;
}

/** A retry that was decided and whose time has to come. */
export interface DueRetry {
  readonly ns: string;
  readonly runId: Id;
  readonly attemptId: Id;
  /** Event id of the `RetryDecided`. */
  readonly decidedBy: Id;
  readonly notBefore: Instant;
}

/** An event that a run told the world and that intake has not received yet. */
export interface Emission {
  readonly ns: string;
  readonly stream: string;
  readonly revision: Revision;
  readonly workflow: string;
}

/** A wake that stands in a run's history and not yet on the receipt of the event. */
export interface UntoldWake {
  readonly ns: string;
  readonly receiptId: Id;
  readonly run: ReceiptRun;
}

export const sourceOfEmission = (ns: string, workflow: string): string => `/cairn/${ns}/${workflow}`;

interface Stored {
  readonly runs: readonly [Id, LiveRun][];
  readonly definitions: readonly AppliedDefinition[];
  readonly retries: readonly [Id, DueRetry][];
  readonly emissions: readonly [Id, Emission][];
  readonly untold: readonly [string, UntoldWake][];
  readonly waits: unknown;
  readonly kept: unknown;
  readonly receipts: unknown;
}

/** Scheduling's unfinished business: what it must not forget (`architecture.md` §2), folded from the history. */
export class SchedulingSet implements WorkingSetFold {
  readonly name = 'scheduling';
  readonly foldVersion = 1;
  readonly types = [
    'EventReceived',
    'ReceiptSettled',
    'EventKept',
    'DefinitionApplied',
    'RunStarted',
    'WaitOpened',
    'WaitTriggered',
    'WaitSatisfied',
    'WaitExpired',
    'WaitWithdrawn',
    'WaitStale',
    'RetryDecided',
    'EventEmitted',
    ...runEnds,
  ];

  readonly waits = new OpenWaits();
  readonly kept = new KeptEvents();
  readonly receipts = new ReceiptsInHand();
  readonly runs = new Map<Id, LiveRun>();
  readonly definitions: AppliedDefinition[] = [];
  readonly retries = new Map<Id, DueRetry>();
  /** By the receipt that they will have. */
  readonly emissions = new Map<Id, Emission>();
  /** By `untoldKey`. */
  readonly untold = new Map<string, UntoldWake>();

  fold(event: StoredEvent): void {
    const runId = event.metadata.runId ?? '';
    switch (event.type) {
      case 'EventReceived': {
        const { receiptId } = event.data as unknown as EventReceived['data'];
        this.receipts.received(event, receiptId, this.definitions.length);
        this.emissions.delete(receiptId);
        return;
      }
      case 'ReceiptSettled':
        return this.settled(event.data as unknown as ReceiptSettled['data']);
      case 'EventKept':
        return void this.kept.keep(event);
      case 'DefinitionApplied':
        return this.applied(event);
      case 'RunStarted': {
        const { ns, workflow, cause } = event.data as unknown as RunStarted['data'];
        return void this.runs.set(runId, { ns, workflow, startedAt: event.at, causedBy: cause.receiptId });
      }
      case 'WaitOpened':
        return void this.waits.open(event);
      case 'WaitTriggered':
        return this.triggered(event, runId);
      case 'WaitStale': {
        const wait = this.waits.get((event.data as { readonly waitId: Id }).waitId);
        if (wait !== undefined) wait.stale = true;
        return;
      }
      case 'WaitSatisfied':
      case 'WaitExpired':
      case 'WaitWithdrawn':
        return this.waits.close((event.data as { readonly waitId: Id }).waitId);
      case 'RetryDecided':
        return this.retryDecided(event, runId);
      case 'EventEmitted':
        return this.emitted(event, runId);
      default:
        return this.ended(runId);
    }
  }

  reset(): void {
    this.waits.clear();
    this.kept.clear();
    this.receipts.clear();
    this.runs.clear();
    this.definitions.length = 0;
    this.retries.clear();
    this.emissions.clear();
    this.untold.clear();
  }

  serialize(): string {
    const stored: Stored = {
      runs: [...this.runs],
      definitions: this.definitions,
      retries: [...this.retries],
      emissions: [...this.emissions],
      untold: [...this.untold],
      waits: this.waits.toJson(),
      kept: this.kept.toJson(),
      receipts: this.receipts.toJson(),
    };
    return JSON.stringify(stored);
  }

  deserialize(text: string): void {
    const stored = JSON.parse(text) as Stored;
    this.reset();
    for (const [id, run] of stored.runs) this.runs.set(id, run);
    this.definitions.push(...stored.definitions);
    for (const [id, retry] of stored.retries) this.retries.set(id, retry);
    for (const [id, emission] of stored.emissions) this.emissions.set(id, emission);
    for (const [key, wake] of stored.untold) this.untold.set(key, wake);
    this.waits.fromJson(stored.waits);
    this.kept.fromJson(stored.kept);
    this.receipts.fromJson(stored.receipts);
  }

  private applied(event: StoredEvent): void {
    const { ns, name, version, hash } = event.data as unknown as DefinitionApplied['data'];
    if (this.definitions.some((known) => known.ns === ns && known.name === name && known.revision === event.revision)) return;
    this.definitions.push({ ns, name, version, hash, revision: event.revision, at: event.at });
  }

  private settled(data: ReceiptSettled['data']): void {
    this.receipts.settled(data);
    if (this.untold.size === 0 || data.outcome !== 'woke') return;
    for (const { run, wait } of data.runs) this.untold.delete(untoldKey(data.receiptId, run, wait ?? ''));
  }

  private triggered(event: StoredEvent, runId: Id): void {
    const data = event.data as unknown as WaitTriggered['data'];
    this.waits.triggered(data);
    if (data.source === undefined) return; // A timer has no receipt.
    const run = { run: runId, branch: event.metadata.branch ?? 'main', wait: data.step };
    this.untold.set(untoldKey(data.eventId, runId, data.step), { ns: event.metadata.ns, receiptId: data.eventId, run });
  }

  private retryDecided(event: StoredEvent, runId: Id): void {
    const { attemptId, decision, notBefore } = event.data as unknown as RetryDecided['data'];
    if (decision !== 'retry' || notBefore === undefined) return;
    this.retries.set(attemptId, { ns: event.metadata.ns, runId, attemptId, decidedBy: event.eventId, notBefore });
  }

  private emitted(event: StoredEvent, runId: Id): void {
    const run = this.runs.get(runId);
    if (run === undefined) return; // Told again after the run's end: its receipt was folded before that.
    const { eventId } = event.data as unknown as EventEmitted['data'];
    const receiptId = idOf('receipt', run.ns, sourceOfEmission(run.ns, run.workflow), eventId);
    this.emissions.set(receiptId, { ns: run.ns, stream: event.stream, revision: event.revision, workflow: run.workflow });
  }

  private ended(runId: Id): void {
    this.runs.delete(runId);
    this.waits.closeRun(runId);
    for (const [attemptId, retry] of this.retries) if (retry.runId === runId) this.retries.delete(attemptId);
  }
}

const untoldKey = (receiptId: Id, runId: Id, wait: string): string => `${receiptId} ${runId} ${wait}`;
