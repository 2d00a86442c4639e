import { isFault, type Bound, type Clock, type ConsumerSpec, type Handle, type IncomingMessage, type Settlement } from '@cairn/ports';
import type { Msg } from '@nats-io/nats-core';
import { BugCounts } from './bug-counts.js';
import { Delivery } from './delivery.js';
import { FaultGate } from './fault-gate.js';
import type { Link } from './link.js';
import { Pull } from './pull.js';
import { read } from './event-modes.js';
import { answerTo, type Settler } from './settle.js';
import { UnderWay } from './under-way.js';
import { ANSWER_TO, idOf } from './wire.js';

/** Pause of a message after its first bug; doubles with each further one, up to the maximum. */
const BUG_PAUSE_MS = 50;
const BUG_PAUSE_MAX_MS = 10_000;
/** A message that met a fault which is its own (a stream that is corrupt, say) stays away so long. */
const FAULT_PAUSE_MS = 250;
/**
 * Our count is one process's. Where several, or one that restarts, meet the same bug, the server's count of deliveries says so: at so
 * many times `bugsMax` a further bug is the last.
 */
const DELIVERIES_FACTOR = 16;

export interface ConsumerHost {
  readonly link: Link;
  readonly clock: Clock;
  readonly settler: Settler;
  /** Told of every error of a handler that is no fault. */
  readonly onBug: (bug: unknown, spec: ConsumerSpec, message: IncomingMessage) => void;
  /** Told of a message that cannot be read, before it is a dead letter. Its body is what headers said of it, or empty. */
  readonly onUnreadable: (reason: string, spec: ConsumerSpec, message: IncomingMessage) => Promise<void>;
}

/** One binding of a durable consumer: it pulls, hands over, counts bugs, and pauses while something is away. */
export class BoundConsumer implements Bound {
  private readonly bugs = new BugCounts();
  private readonly gate: FaultGate;
  private pull: Pull | undefined;
  private ending: Promise<void>[] = [];
  private readonly underWay: UnderWay;
  private taking = true;
  private whenIdle: (() => void) | undefined;

  constructor(
    private readonly host: ConsumerHost,
    readonly spec: ConsumerSpec,
    private readonly handle: Handle,
    private readonly rank: () => number = () => 0,
  ) {
    this.underWay = new UnderWay(host.clock, spec.ackWaitMs);
    this.gate = new FaultGate(host.clock, {
      pause: () => this.endPull(),
      probe: () => this.startPull(1),
      resume: () => this.startPull(spec.inFlightMax),
    });
    this.startPull(spec.inFlightMax);
  }

  async stop(): Promise<void> {
    this.taking = false;
    this.gate.stop();
    this.endPull();
    await Promise.all(this.ending);
    if (this.underWay.size > 0) await new Promise<void>((resolve) => (this.whenIdle = resolve));
  }

  /** Its process is as good as dead: nothing more is taken, and what is under way is left to `ackWaitMs`. */
  abandon(): void {
    this.taking = false;
    this.gate.stop();
    this.pull?.abandon();
  }

  /** Nothing is under way although messages may come: whether it stands still is then the server's to say. */
  get isIdle(): boolean {
    return this.taking && this.underWay.size === 0 && this.gate.isOpen;
  }

  /** Called again and again, every `LOOK_MS`. */
  look(): void {
    this.pull?.look();
    if (this.host.link.isUp) this.underWay.tell();
  }

  /** Asks the server anew, as if just bound. */
  renew(): void {
    this.pull?.renew();
  }

  private startPull(batch: number): void {
    this.endPull();
    if (!this.taking) return;
    const rank = this.spec.prioritized === true ? this.rank : undefined;
    this.pull = new Pull(this.host.link, this.host.clock, this.spec, batch, (message) => void this.receive(message), rank);
  }

  private endPull(): void {
    const pull = this.pull;
    if (pull === undefined) return;
    this.pull = undefined;
    const ended = pull.stop().finally(() => (this.ending = this.ending.filter((other) => other !== ended)));
    this.ending.push(ended);
  }

  private async receive(message: Msg): Promise<void> {
    const delivery = new Delivery(message);
    if (this.underWay.isAgain(delivery)) return;
    if (!this.taking) return this.host.settler.settle(delivery, '', { kind: 'again', afterMs: 0 });
    if (!this.gate.isOpen && !(this.gate.isProbing && this.pull !== undefined)) {
      return this.host.settler.settle(delivery, '', { kind: 'again', afterMs: this.gate.holdMs });
    }
    if (this.gate.isProbing) this.endPull(); // One is enough.
    this.underWay.begin(delivery);
    try {
      await this.work(delivery);
    } finally {
      this.underWay.end(delivery);
      if (this.underWay.size === 0) this.whenIdle?.();
    }
  }

  private async work(delivery: Delivery): Promise<void> {
    const { message, deliveries, sequence } = delivery;
    const content = read(message);
    const body = 'body' in content ? content.body : (content.attributes ?? {});
    const asked = answerTo(message.headers?.get(ANSWER_TO)) !== undefined;
    const id = idOf(message, body, `${this.spec.busStream}.${sequence}`);
    const incoming = { subject: message.subject, id, body, deliveries, asked };
    const settlement = await this.outcomeOf(delivery, incoming, () =>
      'unreadable' in content ? this.refuse(content.unreadable, incoming) : this.handle(incoming),
    );
    if (settlement.kind !== 'again') this.bugs.forget(sequence);
    await this.host.settler.settle(this.underWay.newest(delivery), id, settlement);
  }

  private async refuse(reason: string, incoming: IncomingMessage): Promise<Settlement> {
    await this.host.onUnreadable(reason, this.spec, incoming);
    return { kind: 'never', reason };
  }

  /** What the work says; a bug becomes `again`, and at the `bugsMax`-th `never`; a fault counts for nothing. */
  private async outcomeOf(delivery: Delivery, incoming: IncomingMessage, work: () => Promise<Settlement>): Promise<Settlement> {
    try {
      const settlement = await work();
      this.gate.pass();
      return settlement;
    } catch (error) {
      if (!isFault(error)) {
        this.gate.pass();
        return this.outcomeOfBug(error, delivery, incoming);
      }
      if (error.code.endsWith('_unavailable')) this.gate.trip();
      else this.gate.pass();
      return { kind: 'again', afterMs: this.gate.isOpen ? FAULT_PAUSE_MS : this.gate.holdMs };
    }
  }

  private outcomeOfBug(bug: unknown, { sequence, deliveries }: Delivery, incoming: IncomingMessage): Settlement {
    const { bugsMax } = this.spec;
    const count = this.bugs.add(sequence);
    this.host.onBug(bug, this.spec, incoming);
    if (count >= bugsMax || deliveries >= bugsMax * DELIVERIES_FACTOR) {
      return {
        kind: 'never',
        reason: `${count} bugs in ${deliveries} deliveries, the last: ${bug instanceof Error ? bug.message : String(bug)}`,
      };
    }
    return { kind: 'again', afterMs: Math.min(BUG_PAUSE_MS * 2 ** (count - 1), BUG_PAUSE_MAX_MS) };
  }
}
