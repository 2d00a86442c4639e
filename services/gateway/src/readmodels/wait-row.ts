import type { WaitView } from '@cairn/contracts';
import type { Id, Instant, JsonObject, StoredEvent } from '@cairn/kernel';
import type { RunEvent, RunStarted, WaitOpened } from '@cairn/domain-run';

/** One wait of a run, folded from its events. */
export class WaitRow {
  private state: WaitView['state'] = 'open';
  private stale = false;
  private rescheduled = false;
  private endedAt: Instant | undefined;
  private readonly got: { readonly trigger: number; readonly eventId: Id; readonly at: Instant; readonly kept: boolean }[] = [];

  /** `before`: the row that the wait had; what had come is kept where it was only rescheduled. */
  constructor(
    readonly ns: string,
    readonly run: Id,
    private readonly workflow: string,
    private branch: string,
    private readonly opened: WaitOpened['data'],
    private readonly openedAt: Instant,
    before?: WaitRow,
  ) {
    if (before?.rescheduled === true) this.got.push(...before.got);
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get id(): Id {
    return this.opened.waitId;
  }

  /** Whether one of its triggers is of that event type (with or without version) or of that kind. */
  wants(type: string): boolean {
    return this.opened.triggers.some(
      (trigger) => trigger.kind === type || (trigger.kind === 'event' && (trigger.type === type || trigger.type.startsWith(`${type}.v`))),
    );
  }

  apply(event: StoredEvent & RunEvent): void {
    switch (event.type) {
      case 'WaitTriggered': {
        const { trigger, eventId, kept } = event.data;
        this.got.push({ trigger, eventId, at: event.data.at, kept });
        break;
      }
      case 'WaitSatisfied':
        this.end('satisfied', event.at);
        break;
      case 'WaitExpired':
        this.end('expired', event.at);
        break;
      case 'WaitWithdrawn':
        this.end('withdrawn', event.at);
        this.rescheduled = event.data.because === 'rescheduled';
        break;
      case 'WaitStale':
        this.stale = true;
        break;
      default:
        break;
    }
  }

  /** It is carried: it goes on on another branch under its id. */
  moveTo(branch: string): void {
    this.branch = branch;
  }

  view(): WaitView {
    const { waitId, step, mode, keepOpen, triggers, deadline, staleAt, contract } = this.opened;
    return {
      wait: waitId,
      run: this.run,
      workflow: this.workflow,
      branch: this.branch,
      step,
      state: this.state,
      stale: this.stale,
      mode,
      ...(keepOpen ? { keepOpen } : {}),
      triggers: triggers as unknown as readonly JsonObject[],
      got: this.got,
      openedAt: this.openedAt,
      deadline,
      staleAt,
      ...(this.endedAt === undefined ? {} : { endedAt: this.endedAt }),
      contract: contract as unknown as JsonObject,
    };
  }

  private end(state: WaitView['state'], at: Instant): void {
    this.state = state;
    this.endedAt = at;
  }
}

/** The waits of one run, in the order in which they opened, from its whole history. */
export function waitRowsOf(events: readonly StoredEvent[]): WaitRow[] {
  const rows = new Map<Id, WaitRow>();
  let started: RunStarted['data'] | undefined;
  for (const event of events as readonly (StoredEvent & RunEvent)[]) {
    if (event.type === 'RunStarted') started = event.data;
    else if (event.type === 'WaitOpened' && started !== undefined) {
      const { metadata, data, at } = event;
      const { runId = '', branch = 'main' } = metadata;
      rows.set(data.waitId, new WaitRow(started.ns, runId, started.workflow, branch, data, at, rows.get(data.waitId)));
    } else if (event.type === 'BranchSuperseded') {
      for (const waitId of event.data.spec.carried.waits) rows.get(waitId)?.moveTo(event.data.successor);
    } else if (event.type.startsWith('Wait') && 'waitId' in event.data) rows.get(String(event.data.waitId))?.apply(event);
  }
  return [...rows.values()];
}
