import type { CloudEvent, ReplyData, TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import type { Clock, Ids } from '@cairn/ports';
import { seededIds, type Pcg32 } from '@cairn/simulated';
import type { DeskOf } from './desks.js';
import { pause, type HandlerLife } from './handler-life.js';
import { keepPolling } from './handler-polls.js';
import { keepSession } from './handler-session.js';
import { workAt } from './work.js';
import type { World } from './world.js';

/** A call that nobody answers is given up after this. */
const CALL_TIMEOUT_MS = 3_000;
const SLOWEST_TASK_MS = 1_500;

/** A worker process: it takes tasks, works, answers. And dies, stalls, answers twice or late. */
export class HandlerProcess {
  /** Reply ids that execution said are accepted: each must stand in a history (E-1). */
  readonly accepted = new Set<string>();
  private readonly random: Pcg32;
  private readonly ids: Ids;
  /** The connection: aborted when it is cut and execution hears of it. One for all calls, as a signal costs more than a call. */
  private line = new AbortController();
  private id: Id | undefined;

  constructor(
    private readonly world: World,
    readonly name: string,
    private readonly desk: DeskOf,
    private readonly polls: boolean,
  ) {
    this.random = world.random.fork(name);
    this.ids = seededIds(world.random.fork(`${name}/ids`));
  }

  start(replaces?: Id): void {
    const life = this.newLife(replaces);
    (this.polls ? keepPolling(life) : keepSession(life)).catch((error: unknown) =>
      this.world.bugs.push(`${this.name}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`),
    );
  }

  private newLife(replaces: Id | undefined): HandlerLife {
    const { world, name, random, desk } = this;
    const clock = world.scheduler.clockOf(name);
    const id = this.ids.next();
    this.id = id;
    return {
      id,
      name,
      clock,
      random,
      world,
      desk,
      ...(replaces === undefined ? {} : { replaces }),
      call: (ask) => this.call(clock, ask),
      work: (task, deliver, forget) => this.work(clock, task, deliver, forget),
      settled: (replyId, isAccepted) => this.settled(replyId, isAccepted),
    };
  }

  private async call<T>(clock: Clock, ask: (gone: AbortSignal) => Promise<T>): Promise<T> {
    const { latencyMaxMs } = this.world.swarm;
    await pause(clock, this.random.below(latencyMaxMs + 1));
    const answer = ask(this.line.signal);
    return new Promise((resolve, reject) => {
      // What comes back comes back in this process's time: never, if it has died meanwhile.
      const later = (then: () => void): void => void clock.after(this.random.below(latencyMaxMs + 1), () => (timer.cancel(), then()));
      const timer = clock.after(CALL_TIMEOUT_MS, () => (this.hangUp(), reject(new Error('no answer'))));
      answer.then(
        (value) => later(() => resolve(value)),
        (error: unknown) => later(() => reject(error as Error)),
      );
    });
  }

  /** The connection is cut; whether the other side is told is the network's affair. */
  private hangUp(): void {
    const { line } = this;
    this.line = new AbortController();
    if (this.random.chance(this.world.swarm.hangUpsTold)) this.world.clock.after(1, () => line.abort());
  }

  private settled(replyId: string, isAccepted: boolean): boolean {
    if (isAccepted) {
      if (this.accepted.has(replyId)) this.world.coverage.note('accepted reply again');
      this.accepted.add(replyId);
    }
    if (!this.world.strikes(this.random, this.world.swarm.handlers.answersTwice)) return false;
    this.world.coverage.note('reply sent twice');
    return true;
  }

  private work(clock: Clock, task: CloudEvent<TaskData>, deliver: (reply: CloudEvent<ReplyData>) => void, forget: () => void): void {
    const { dies, stalls, answersLate } = this.world.swarm.handlers;
    this.world.note(this.name, `takes ${task.data?.step ?? ''} ${task.id}`);
    const workMs = this.random.below(SLOWEST_TASK_MS);
    const beginsAfterMs = this.random.below(workMs + 1);
    // Anywhere between taking the task and answering: before its effect, in the middle, after it.
    if (this.world.strikes(this.random, dies)) clock.after(workMs, () => this.die());
    if (this.world.strikes(this.random, stalls)) this.stall();
    const isLate = this.world.strikes(this.random, answersLate);
    if (isLate) {
      this.world.coverage.note('reply sent late');
      forget(); // It lost track of it, and will remember.
    }
    clock.after(beginsAfterMs, () => {
      workAt(this.world, clock, this.name, task).then(
        (reply) => void clock.after((isLate ? 3_000 : 0) + workMs - beginsAfterMs, () => deliver(reply)),
        (error: unknown) => this.world.bugs.push(`${this.name}: ${String(error)}`),
      );
    });
  }

  private die(): void {
    this.world.coverage.note('handler died');
    this.world.note(this.name, 'dies');
    const before = this.id;
    this.world.scheduler.crash(this.name);
    this.hangUp();
    const replaces = this.random.chance(0.5) ? before : undefined;
    this.world.scheduler.after(this.name, this.random.below(1_000), () => this.start(replaces));
  }

  private stall(): void {
    this.world.coverage.note('handler stalled');
    const until = this.world.scheduler.now + 1_000 + this.random.below(5_000);
    this.world.note(this.name, `stalls until ${until}`);
    this.world.scheduler.pause(this.name, until);
  }
}
