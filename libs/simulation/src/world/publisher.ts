import {
  controlType,
  SIGNAL_TYPE,
  START_TYPE,
  subjects,
  type ApplyDefinitionMessage,
  type CloudEvent,
  type Receipt,
  type RunControl,
} from '@cairn/contracts';
import { idOf, type Id, type Json, type JsonObject } from '@cairn/kernel';
import { ASK_DEADLINE_MS, type Ids } from '@cairn/ports';
import { seededIds, type Pcg32 } from '@cairn/simulated';
import { NS, SOURCE } from './names.js';
import type { PlannedEvent, Workload } from './workload.js';
import type { World } from './world.js';

/** A run that the outside wants, and its key. */
export interface PlannedRun {
  readonly workload: Workload;
  readonly runId: Id;
  readonly key: string;
  readonly n: number;
  /** Somebody asked for its end. Whether in time, its history says. */
  cancelled?: true;
}

/** How far behind a run's start its events come, at most. The latest are late for every wait but a long one. */
const EVENTS_WITHIN_MS = 20_000;
/** How far behind a run's start somebody stops it, and for how long. */
const CONTROLS_WITHIN_MS = [1_500, 8_000];
const PAUSED_MAX_MS = 8_000;

/**
 * The outside: it applies definitions, starts runs and sends what they wait for, through the bus as the gateway does. It repeats
 * whatever was not answered, under the same id, as everybody must who wants to be sure (P-1).
 */
export class Publisher {
  /** Receipts that somebody was shown: each must stand in the store (E-1). */
  readonly receipts: Id[] = [];
  readonly runs: PlannedRun[] = [];
  private readonly random: Pcg32;
  private readonly ids: Ids;
  private busy = 0;

  constructor(
    private readonly world: World,
    /** Else they are in the store before anything begins. */
    private readonly appliesDefinitions: boolean,
  ) {
    this.random = world.random.fork('publisher');
    this.ids = seededIds(world.random.fork('publisher/ids'));
  }

  /** Whether everything was sent and answered. */
  get isDone(): boolean {
    return this.busy === 0;
  }

  start(workloads: readonly Workload[]): void {
    workloads.forEach((workload, i) => this.begin(workload, i));
  }

  private begin(workload: Workload, i: number): void {
    const key = `${workload.name}-${'abcdefgh'[i] ?? 'z'}${i}`;
    const n = 10 * (i + 1);
    const planned: PlannedRun = { workload, runId: idOf('run', NS, workload.document.name, key), key, n };
    this.runs.push(planned);
    const { starts } = workload;
    if (starts !== undefined) this.runs.push({ workload: starts, runId: idOf('run', NS, starts.document.name, key), key, n });
    this.go(this.random.below(1_000), () => this.play(planned));
  }

  private async play(planned: PlannedRun): Promise<void> {
    const { workload, key, n, runId } = planned;
    if (this.appliesDefinitions) {
      if (workload.starts !== undefined) await this.apply(workload.starts);
      await this.apply(workload);
    }
    // An event from before a run began is none of its business, so whoever sends one waits until the run is there.
    await this.send(this.starting(workload, key, n), isSettled);
    workload.events?.forEach((event, i) => this.plan(event, i, key, runId));
    const { paused, cancelled } = this.world.swarm;
    const soon = (): number => this.random.below(this.random.pick(CONTROLS_WITHIN_MS));
    if (this.random.chance(paused)) this.go(soon(), () => this.pause(planned));
    if (this.random.chance(cancelled)) this.go(soon(), () => this.cancel(planned));
  }

  /** Stops a run for a while. Whoever lets it go on has seen that the pause was done. */
  private async pause(planned: PlannedRun): Promise<void> {
    await this.send(this.control(planned, 'pause'), isSettled);
    await new Promise<void>((resolve) => this.world.clock.after(this.random.below(PAUSED_MAX_MS), resolve));
    await this.send(this.control(planned, 'unpause'), isSettled);
  }

  private async cancel(planned: PlannedRun): Promise<void> {
    planned.cancelled = true;
    await this.send(this.control(planned, 'cancel'), isSettled);
  }

  private control({ runId, key }: PlannedRun, verb: RunControl): Outgoing {
    return {
      subject: subjects.runControl(NS, runId, verb),
      event: cloudEvent(`${verb}/${key}`, controlType(verb), {}, { cairnrun: runId }),
    };
  }

  /** The event itself, and perhaps another with a key that is nearly right. */
  private plan(event: PlannedEvent, i: number, key: string, runId: Id): void {
    const after = (): number => (this.random.chance(0.4) ? 0 : this.random.below(EVENTS_WITHIN_MS));
    this.go(after(), () => this.send(this.waking(event, `${key}/${i}`, key, runId)));
    if (event.kind !== 'event' || !this.random.chance(this.world.swarm.nearMiss)) return;
    this.world.coverage.note('near miss');
    this.go(after(), () => this.send(this.waking(event, `${key}/${i}/near`, `${key}x`, runId)));
  }

  private starting(workload: Workload, key: string, n: number): Outgoing {
    const { name } = workload.document;
    const id = `start/${key}`;
    if (workload.startedBy !== undefined) {
      return { subject: subjects.inbound(NS, workload.startedBy), event: cloudEvent(id, workload.startedBy, { n }, { cairnkey: key }) };
    }
    return { subject: subjects.runStart(NS, name), event: cloudEvent(id, START_TYPE, { key, input: { n } }, { cairnkey: key }) };
  }

  private waking({ kind, name, data }: PlannedEvent, id: string, key: string, runId: Id): Outgoing {
    if (kind === 'signal')
      return { subject: subjects.signal(NS, runId, name), event: cloudEvent(id, SIGNAL_TYPE, data, { cairnrun: runId }) };
    return { subject: subjects.inbound(NS, name), event: cloudEvent(id, name, data, { cairnkey: key }) };
  }

  private async send({ subject, event }: Outgoing, isEnough: (receipt: Receipt) => boolean = () => true): Promise<void> {
    const body = event as unknown as JsonObject;
    const isAnswer = (answer: JsonObject): boolean => answer['receiptId'] !== undefined && isEnough(answer as unknown as Receipt);
    const receipt = (await this.ask(subject, body, isAnswer)) as unknown as Receipt;
    this.receipts.push(receipt.receiptId);
    this.world.note('outside', `${event.id} is ${receipt.outcome}`);
    if (!this.random.chance(this.world.swarm.eventTwice)) return;
    this.world.coverage.note('event sent twice');
    // Once more: as the bus repeats it, and as a sender does who forgot that it was answered.
    this.go(this.random.below(5_000), () => this.world.bus.publish({ subject, id: this.ids.next(), body }).catch(() => undefined));
  }

  private async apply({ document }: Workload): Promise<void> {
    const message: ApplyDefinitionMessage = { actor: 'user:sim', name: document.name, document: document as unknown as JsonObject };
    const answer = await this.ask(subjects.command(NS, 'scheduling', 'apply-definition'), message as unknown as JsonObject, () => true);
    if (answer['kind'] === 'rejected') this.world.bugs.push(`definition ${document.name}: ${JSON.stringify(answer)}`);
  }

  /** Asks until somebody answers. */
  private async ask(subject: string, body: JsonObject, isAnswer: (answer: JsonObject) => boolean): Promise<JsonObject> {
    for (;;) {
      const answer = await this.world.bus.ask({ subject, id: this.ids.next(), body }, ASK_DEADLINE_MS).catch(() => undefined);
      if (answer !== undefined && isAnswer(answer)) return answer;
      await new Promise<void>((resolve) => this.world.clock.after(500 + this.random.below(1_000), resolve));
    }
  }

  private go(afterMs: number, task: () => Promise<void>): void {
    this.busy += 1;
    this.world.clock.after(afterMs, () => {
      task()
        .catch((error: unknown) => this.world.bugs.push(`publisher: ${error instanceof Error ? (error.stack ?? '') : String(error)}`))
        .finally(() => (this.busy -= 1));
    });
  }
}

const isSettled = ({ outcome }: Receipt): boolean => outcome !== 'pending';

interface Outgoing {
  readonly subject: string;
  readonly event: CloudEvent;
}

const cloudEvent = (id: string, type: string, data: Json, more: Partial<CloudEvent>): CloudEvent => ({
  specversion: '1.0',
  id,
  source: SOURCE,
  type,
  datacontenttype: 'application/json',
  data,
  ...more,
});
