import { SUCCEEDED_TYPE, FAILED_TYPE, type CloudEvent, type ExchangeRequest, type ReplyData, type TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Clock, Ids } from '@cairn/ports';
import { seededIds, type Pcg32 } from '@cairn/simulated';
import type { DeskOf } from './desks.js';
import { NS } from './names.js';
import type { World } from './world.js';

/** Tasks that a handler works at side by side. */
const CAPACITY = 3;
/** A frame that nobody answers is given up after this. */
const FRAME_TIMEOUT_MS = 3_000;
const SLOWEST_TASK_MS = 1_500;
const IDLE_PAUSE_MS = 600;

/** What one life of a handler process remembers. */
interface Session {
  readonly id: Id;
  readonly clock: Clock;
  readonly held: Set<Id>;
  readonly seen: Set<Id>;
  readonly outbox: Map<string, CloudEvent<ReplyData>>;
  replaces?: Id;
  seq: number;
}

/** A worker process with its session: it takes tasks by exchange, works, answers. And dies, stalls, answers twice or late. */
export class HandlerProcess {
  /** Reply ids that execution said are accepted: each must stand in a history (E-1). */
  readonly accepted = new Set<string>();
  private readonly random: Pcg32;
  private readonly ids: Ids;
  private session: Session;

  constructor(
    private readonly world: World,
    readonly name: string,
    private readonly desk: DeskOf,
  ) {
    this.random = world.random.fork(name);
    this.ids = seededIds(world.random.fork(`${name}/ids`));
    this.session = this.newSession();
  }

  start(): void {
    this.run(this.session).catch((error: unknown) =>
      this.world.bugs.push(`${this.name}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`),
    );
  }

  private newSession(): Session {
    return {
      id: this.ids.next(),
      clock: this.world.scheduler.clockOf(this.name),
      held: new Set(),
      seen: new Set(),
      outbox: new Map(),
      seq: 0,
    };
  }

  private async run(session: Session): Promise<void> {
    for (;;) {
      const response = await this.frame(session).catch(() => undefined);
      if (response === undefined) {
        await pause(session.clock, 100 + this.random.below(400));
        continue;
      }
      for (const replyId of response.accepted) this.settled(session, replyId, true);
      for (const replyId of [...response.late, ...response.forwarded]) this.settled(session, replyId, false);
      for (const task of response.tasks) this.take(session, task);
      // Idle handlers dawdle, well within a session's patience: a world at rest should cost little.
      await pause(session.clock, this.random.below(session.held.size === 0 ? IDLE_PAUSE_MS : 5));
    }
  }

  private async frame(session: Session): ReturnType<DeskOf['exchange']> {
    const request: ExchangeRequest = {
      session: session.id,
      ...(session.replaces === undefined ? {} : { replaces: session.replaces }),
      seq: ++session.seq,
      handler: this.name,
      queues: { work: Math.max(0, CAPACITY - session.held.size) },
      held: [...session.held],
      replies: [...session.outbox.values()],
    };
    await pause(session.clock, this.random.below(this.world.swarm.latencyMaxMs + 1));
    const answer = this.desk.exchange(NS, request);
    return new Promise((resolve, reject) => {
      // What comes back comes back in this process's time: never, if it has died meanwhile.
      const later = (then: () => void): void => void session.clock.after(this.random.below(this.world.swarm.latencyMaxMs + 1), then);
      const timer = session.clock.after(FRAME_TIMEOUT_MS, () => reject(new Error('no answer')));
      answer.then(
        (value) => later(() => (timer.cancel(), resolve(value))),
        (error: unknown) => later(() => (timer.cancel(), reject(error as Error))),
      );
    });
  }

  private settled(session: Session, replyId: string, isAccepted: boolean): void {
    const reply = session.outbox.get(replyId);
    if (isAccepted) {
      if (this.accepted.has(replyId)) this.world.coverage.note('accepted reply again');
      this.accepted.add(replyId);
    }
    session.outbox.delete(replyId);
    session.held.delete(replyId.slice(0, -':end'.length));
    if (reply === undefined || !this.world.strikes(this.random, this.world.swarm.handlers.answersTwice)) return;
    this.world.coverage.note('reply sent twice');
    session.clock.after(this.random.below(3_000), () => session.outbox.set(replyId, reply));
  }

  private take(session: Session, task: CloudEvent<TaskData>): void {
    const attemptId = task.data?.lease.attemptId;
    if (attemptId === undefined || task.data === undefined || session.seen.has(attemptId)) return;
    session.seen.add(attemptId);
    session.held.add(attemptId);
    this.world.note(this.name, `takes ${task.data.step} ${attemptId}`);
    const { dies, stalls, answersLate } = this.world.swarm.handlers;
    const workMs = this.random.below(SLOWEST_TASK_MS);
    if (this.world.strikes(this.random, dies)) return void session.clock.after(workMs, () => this.die());
    if (this.world.strikes(this.random, stalls)) this.stall();
    const late = this.world.strikes(this.random, answersLate);
    if (late) {
      this.world.coverage.note('reply sent late');
      session.held.delete(attemptId); // It lost track of it, and will remember.
    }
    const reply = replyTo(this.name, task.data, task.cairnrun);
    session.clock.after(late ? 3_000 + workMs : workMs, () => session.outbox.set(reply.id, reply));
  }

  private die(): void {
    this.world.coverage.note('handler died');
    this.world.note(this.name, 'dies');
    const before = this.session.id;
    this.world.scheduler.crash(this.name);
    this.session = this.newSession();
    if (this.random.chance(0.5)) this.session.replaces = before;
    this.session.clock.after(this.random.below(1_000), () => this.start());
  }

  private stall(): void {
    this.world.coverage.note('handler stalled');
    const until = this.world.scheduler.now + 1_000 + this.random.below(5_000);
    this.world.note(this.name, `stalls until ${until}`);
    this.world.scheduler.pause(this.name, until);
  }
}

const pause = (clock: Clock, ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));

/** What every handler answers to this task, whoever it is: outputs may depend on the input alone. */
function replyTo(handler: string, { lease, input }: TaskData, run: Id | undefined): CloudEvent<ReplyData> {
  const envelope = {
    specversion: '1.0',
    id: `${lease.attemptId}:end`,
    source: `/${handler}`,
    ...(run === undefined ? {} : { cairnrun: run }),
  } as const;
  const asked = input as { readonly do: 'add' | 'fail'; readonly n: number };
  if (asked.do === 'fail') {
    return {
      ...envelope,
      type: FAILED_TYPE,
      data: { lease, failure: { bucket: 'invalid_request', message: 'this task always fails', sideEffect: 'none' } },
    };
  }
  return { ...envelope, type: SUCCEEDED_TYPE, data: { lease, output: { n: asked.n + 1 } } };
}
