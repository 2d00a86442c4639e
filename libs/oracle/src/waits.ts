import { canon, epochMsOf, idOf, withoutVersion, type Instant } from '@cairn/kernel';
import { stepOf, type DataOf, type EventOf } from './branch.js';
import type { Inbox } from './inbox.js';
import type { Limits } from './history.js';
import type { Report } from './report.js';
import type { Walk } from './walk.js';

interface Opening {
  readonly opened: EventOf<'WaitOpened'>;
  open: boolean;
  /** Triggers that have come. Kept when the same wait is opened again. */
  readonly got: Set<number>;
}

/** I-18 to I-22: what a run waits for is declared, nothing else ends it, and each thing that came counts once. */
export class WaitChecks {
  private readonly waits = new Map<string, Opening>();
  private readonly checkpoints = new Set<string>();
  private readonly used = new Set<string>();
  private startedAt = '';
  private readonly report: Report;

  constructor(
    private readonly walk: Walk,
    private readonly inbox: Inbox | undefined,
    private readonly limits: Limits,
  ) {
    this.report = walk.report;
  }

  run(): void {
    for (const event of this.walk.events()) {
      switch (event.type) {
        case 'BranchOpened':
          this.carried(event);
          break;
        case 'RunStarted':
          // What came behind the event that started the run is for it, however late its first append was.
          this.startedAt = earlier(event.at, this.inbox?.received(event.data.cause.receiptId)?.at);
          break;
        case 'CheckpointReached':
          this.checkpoints.add(event.data.name);
          break;
        case 'WaitOpened':
          this.opened(event);
          break;
        case 'WaitTriggered':
          this.triggered(event);
          break;
        case 'WaitSatisfied':
          this.satisfied(event);
          break;
        case 'WaitExpired':
          this.expired(event);
          break;
        case 'WaitWithdrawn':
          this.close(event.revision, event.data.waitId, event.type);
          break;
        case 'WaitStale':
          this.stale(event);
          break;
        default:
      }
    }
  }

  /** What is carried goes on, all else that was open at the fork is not open here (U-4). */
  private carried({ revision, data: { carried } }: EventOf<'BranchOpened'>): void {
    for (const [waitId, wait] of this.waits) wait.open &&= carried.waits.includes(waitId);
    for (const waitId of carried.waits)
      if (this.waits.get(waitId)?.open !== true) this.report('I-20', revision, `wait ${waitId} is carried and is not open at the fork`);
  }

  private opened(event: EventOf<'WaitOpened'>): void {
    const { waitId, step, triggers, restores, deadline, onDeadline, noDeadline } = event.data;
    const before = this.waits.get(waitId);
    if (before?.open === true) this.report('I-20', event.revision, `wait ${step} is opened while it is open`);
    const checkpointed = this.walk
      .appendOf(event.revision)
      .some(
        (other) =>
          other.revision < event.revision && other.type === 'CheckpointReached' && other.data.kind === 'wait' && other.data.step === step,
      );
    if (!checkpointed) this.report('I-18', event.revision, `wait ${step} is opened without its checkpoint in the same append`);
    if (triggers.length === 0) this.report('I-19', event.revision, `wait ${step} declares no trigger`);
    if (!this.checkpoints.has(restores))
      this.report('I-19', event.revision, `wait ${step} restores ${restores}, which no checkpoint is called`);
    const bounded = deadline !== null && onDeadline !== null;
    const unbounded = deadline === null && isText(noDeadline?.because) && isText(noDeadline?.by);
    if (!bounded && !unbounded)
      this.report(
        'I-22',
        event.revision,
        `wait ${step} has neither a deadline with its consequence nor a reason, and who allowed it, for having none`,
      );
    this.waits.set(waitId, { opened: event, open: true, got: before?.got ?? new Set() });
  }

  private triggered(event: EventOf<'WaitTriggered'>): void {
    const { waitId, step, trigger, eventId, source, id } = event.data;
    const wait = this.waits.get(waitId);
    if (wait?.open !== true) return this.report('I-20', event.revision, `something came for wait ${step}, which is not open`);
    // By the sender's own name of it, too: whoever counts one event twice gives it a second receipt id.
    const names = [[stepOf(step), eventId], ...(source === undefined ? [] : [[stepOf(step), source, id]])].map(canon);
    if (names.some((name) => this.used.has(name)))
      this.report('I-20', event.revision, `event ${eventId} counts twice for wait ${stepOf(step)}`);
    for (const name of names) this.used.add(name);
    wait.got.add(trigger);
    this.declared(event, wait.opened);
  }

  /** I-21: it is one of the triggers, and it is not early. */
  private declared(event: EventOf<'WaitTriggered'>, opened: EventOf<'WaitOpened'>): void {
    const { waitId, step, trigger: index, eventId, source, type, kept, at } = event.data;
    const trigger = opened.data.triggers[index];
    if (trigger === undefined) return this.report('I-21', event.revision, `wait ${step} has no trigger ${index}`);
    if (trigger.kind === 'timer') {
      if (event.at < trigger.at)
        this.report('I-21', event.revision, `the timer of wait ${step} fired at ${event.at}, before ${trigger.at}`);
      if (eventId !== idOf('timer', waitId, index))
        this.report('I-21', event.revision, `${eventId} is not the id of timer ${index} of wait ${step}`);
      return;
    }
    if (source === undefined)
      this.report(
        'I-21',
        event.revision,
        `wait ${step} wants ${trigger.kind === 'event' ? 'an event' : `a ${trigger.kind}`} from outside, not a timer`,
      );
    if (trigger.kind === 'event' && type !== undefined && !sameType(trigger.type, type)) {
      this.report('I-21', event.revision, `wait ${step} wants ${trigger.type}, not ${type}`);
    }
    const received = this.inbox?.received(eventId);
    if (trigger.kind === 'event' && trigger.key !== undefined && received !== undefined && received.key !== trigger.key) {
      this.report('I-21', event.revision, `wait ${step} wants key ${trigger.key}, not ${received.key ?? 'none'}`);
    }
    const link = received?.callback;
    if (trigger.kind === 'callback' && received !== undefined && (link?.waitId !== waitId || link.name !== trigger.name))
      this.report('I-21', event.revision, `wait ${step} wants the link of callback ${trigger.name}, which event ${eventId} is not`);
    const { lookBack } = opened.data;
    const horizon = lookBack === 'run' ? this.startedAt : undefined;
    if (kept && horizon !== undefined && epochMsOf(at) < epochMsOf(horizon) - this.limits.skewMs) {
      this.report('I-21', event.revision, `wait ${step} took an event of ${at}, from before the run began`);
    }
    if (kept && lookBack === 'none' && epochMsOf(at) < epochMsOf(opened.at) - this.limits.skewMs) {
      this.report('I-21', event.revision, `wait ${step} looks back at nothing and took an event of ${at}`);
    }
  }

  private satisfied(event: EventOf<'WaitSatisfied'>): void {
    const { waitId, step, triggers } = event.data;
    const wait = this.close(event.revision, waitId, event.type);
    if (wait === undefined) return;
    const missing = triggers.find((index) => !wait.got.has(index));
    if (missing !== undefined) this.report('I-20', event.revision, `wait ${step} is satisfied by trigger ${missing}, which has not come`);
    const needs = neededBy(wait.opened.data);
    const named = new Set(triggers).size;
    if (named < needs) this.report('I-20', event.revision, `wait ${step} is satisfied by ${named} triggers and needs ${needs}`);
  }

  private expired(event: EventOf<'WaitExpired'>): void {
    const { waitId, step, then } = event.data;
    const wait = this.close(event.revision, waitId, event.type);
    if (wait === undefined) return;
    const { deadline, onDeadline } = wait.opened.data;
    if (deadline === null) this.report('I-21', event.revision, `wait ${step} expired and has no deadline`);
    else if (event.at < deadline) this.report('I-21', event.revision, `wait ${step} expired at ${event.at}, before ${deadline}`);
    if (canon(then) !== canon(onDeadline)) this.report('I-21', event.revision, `wait ${step} declared another consequence of its deadline`);
  }

  private stale(event: EventOf<'WaitStale'>): void {
    const { waitId, step, because } = event.data;
    const wait = this.waits.get(waitId);
    if (wait?.open !== true) return this.report('I-20', event.revision, `wait ${step} is stale and is not open`);
    const { staleAt } = wait.opened.data;
    if (because === 'age' && (staleAt === null || event.at < staleAt)) {
      this.report('I-21', event.revision, `wait ${step} is stale at ${event.at}; it may be from ${staleAt ?? 'no time'} on`);
    }
  }

  private close(revision: number, waitId: string, by: string): Opening | undefined {
    const wait = this.waits.get(waitId);
    if (wait?.open !== true) {
      this.report('I-20', revision, `${by} of wait ${waitId}, which is not open`);
      return undefined;
    }
    wait.open = false;
    return wait;
  }
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.length > 0;

function neededBy({ mode, k, triggers }: DataOf<'WaitOpened'>): number {
  return mode === 'any' ? 1 : mode === 'all' ? triggers.length : k;
}

/** The version of a type counts only where the trigger names one. */
function sameType(wanted: string, got: string): boolean {
  return wanted === got || wanted === withoutVersion(got);
}

const earlier = (at: Instant, other: Instant | undefined): Instant => (other !== undefined && other < at ? other : at);
