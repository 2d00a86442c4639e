import { canonicalLines, readCanonicalLines, type WorkingSetFold } from '@cairn/application';
import { runEnds, type EventEmitted, type RetryDecided, type RunStarted, type WaitTriggered } from '@cairn/domain-run';
import type { DefinitionApplied, EventReceived, ReceiptRun, ReceiptSettled } from '@cairn/domain-schedule';
import { idOf, type Id, type Instant, type Revision, type StoredEvent } from '@cairn/kernel';
import { DueRetries, type DueRetry } from './due-retries.js';
import { KeptEvents, type KeptEvent } from './kept-events.js';
import { OpenWaits } from './open-waits.js';
import { ReceiptsInHand, type Unsettled } from './receipts-in-hand.js';

/** A run that has not ended. */
export interface LiveRun {
  readonly ns: string;
  /** How it began. Absent of a run that had ended and goes on on another branch: what has ended is forgotten here, its history tells. */
  readonly began?: RunBeginning;
}

export interface RunBeginning {
  readonly workflow: string;
  /** When the event that started it was received: what comes after that is for the run, however much later its first append is. */
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

/** Scheduling's unfinished business: what it must not forget (`architecture.md` §2), folded from the history. */
export class SchedulingSet implements WorkingSetFold {
  readonly name = 'scheduling';
  readonly foldVersion = 5;
  readonly types = [
    'EventReceived',
    'ReceiptSettled',
    'EventKept',
    'DefinitionApplied',
    'RunStarted',
    'BranchSuperseded',
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
  readonly retries = new DueRetries();
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
        if (this.runs.has(runId)) return; // Told again.
        const startedAt = this.receivedAt(ns, cause) ?? event.at;
        return void this.runs.set(runId, { ns, began: { workflow, startedAt, causedBy: cause.receiptId } });
      }
      case 'BranchSuperseded':
        if (!this.runs.has(runId)) this.runs.set(runId, { ns: event.metadata.ns }); // It had ended, and is recovered (`architecture.md` §3.2).
        return;
      case 'WaitOpened':
        return void this.waits.open(event);
      case 'WaitTriggered':
        return this.triggered(event, runId);
      case 'WaitStale': {
        const wait = this.waits.get((event.data as { readonly waitId: Id }).waitId);
        if (wait !== undefined) wait.stale = true;
        return;
      }
      case 'WaitWithdrawn':
        // It is opened again in the same append, with what has come.
        if ((event.data as { readonly because?: string }).because === 'rescheduled') return;
        return this.waits.close((event.data as { readonly waitId: Id }).waitId);
      case 'WaitSatisfied':
      case 'WaitExpired':
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

  lines(): readonly string[] {
    return canonicalLines(this.entries());
  }

  deserialize(text: string): void {
    this.reset();
    const kept: (readonly KeptEvent[])[] = [];
    let horizon: Instant = '';
    for (const [kind, key, value] of readCanonicalLines(text)) {
      const id = String(key);
      if (kind === 'run') this.runs.set(id, value as LiveRun);
      else if (kind === 'definition') this.definitions[Number(key)] = value as AppliedDefinition;
      else if (kind === 'retry') this.retries.add(value as DueRetry);
      else if (kind === 'emission') this.emissions.set(id, value as Emission);
      else if (kind === 'untold') this.untold.set(id, value as UntoldWake);
      else if (kind === 'wait') this.waits.restore(value);
      else if (kind === 'receipt') this.receipts.restore(id, value as Unsettled);
      else if (kind === 'kept') kept.push(value as readonly KeptEvent[]);
      else if (kind === 'kept until') horizon = String(value);
      else throw new TypeError(`a checkpoint of scheduling has no ${kind}`);
    }
    this.kept.restore(kept, horizon);
  }

  fresh(): SchedulingSet {
    return new SchedulingSet();
  }

  private *entries(): Iterable<readonly [kind: string, key: string | number, value: unknown]> {
    for (const [id, run] of this.runs) yield ['run', id, run];
    for (const [index, definition] of this.definitions.entries()) yield ['definition', index, definition];
    for (const [id, retry] of this.retries.entries()) yield ['retry', id, retry];
    for (const [id, emission] of this.emissions) yield ['emission', id, emission];
    for (const [key, wake] of this.untold) yield ['untold', key, wake];
    for (const [id, wait] of this.waits.entries()) yield ['wait', id, wait];
    for (const [id, unsettled] of this.receipts.unsettled()) yield ['receipt', id, unsettled];
    yield* this.kept.entries();
  }

  /** Of the event that a run owes its existence to: its receipt has no outcome yet, or it was kept for a definition to come. */
  private receivedAt(ns: string, { receiptId, type }: RunStarted['data']['cause']): Instant | undefined {
    const kept = (): KeptEvent | undefined => this.kept.find(ns, type, undefined).find((one) => one.receiptId === receiptId);
    return this.receipts.receivedAt(receiptId) ?? kept()?.receivedAt;
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
    const { step, attemptId, decision, notBefore } = event.data as unknown as RetryDecided['data'];
    // A changed retry is owed on the branch that its decision opened: execution finds the head.
    if ((decision !== 'retry' && decision !== 'retry_modified') || notBefore === undefined) return;
    const place = `${event.metadata.branch ?? 'main'} ${step}`;
    this.retries.add({ ns: event.metadata.ns, runId, attemptId, decidedBy: event.eventId, notBefore, step: place });
  }

  private emitted(event: StoredEvent, runId: Id): void {
    const { ns, began } = this.runs.get(runId) ?? {};
    if (ns === undefined || began === undefined) return; // Told again after the run's end: its receipt was folded before that.
    const { eventId } = event.data as unknown as EventEmitted['data'];
    const receiptId = idOf('receipt', ns, sourceOfEmission(ns, began.workflow), eventId);
    this.emissions.set(receiptId, { ns, stream: event.stream, revision: event.revision, workflow: began.workflow });
  }

  private ended(runId: Id): void {
    this.runs.delete(runId);
    this.waits.closeRun(runId);
    this.retries.endRun(runId);
  }
}

const untoldKey = (receiptId: Id, runId: Id, wait: string): string => `${receiptId} ${runId} ${wait}`;
