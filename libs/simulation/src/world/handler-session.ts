import type { CloudEvent, ExchangeRequest, ReplyData, TaskData } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import { CAPACITY, pause, type HandlerLife } from './handler-life.js';
import { NS } from './names.js';

const IDLE_PAUSE_MS = 600;

/** What a session remembers. */
interface Session {
  readonly held: Set<Id>;
  readonly seen: Set<Id>;
  readonly outbox: Map<string, CloudEvent<ReplyData>>;
  seq: number;
}

/** A handler that takes tasks and answers by exchange, one frame after another, for as long as it lives. */
export async function keepSession(life: HandlerLife): Promise<never> {
  const session: Session = { held: new Set(), seen: new Set(), outbox: new Map(), seq: 0 };
  for (;;) {
    const request = frameOf(life, session);
    const response = await life.call((gone) => life.desk.exchange(NS, request, gone)).catch(() => undefined);
    if (response === undefined) {
      await pause(life.clock, 100 + life.random.below(400));
      continue;
    }
    for (const replyId of response.accepted) settle(life, session, replyId, true);
    for (const replyId of [...response.late, ...response.forwarded]) settle(life, session, replyId, false);
    for (const task of response.tasks) take(life, session, task);
    // Idle handlers dawdle, well within a session's patience: a world at rest should cost little.
    await pause(life.clock, life.random.below(session.held.size === 0 ? IDLE_PAUSE_MS : 5));
  }
}

const frameOf = ({ id, name, replaces }: HandlerLife, session: Session): ExchangeRequest => ({
  session: id,
  ...(replaces === undefined ? {} : { replaces }),
  seq: ++session.seq,
  handler: name,
  queues: {
    work: Math.max(0, CAPACITY - session.held.size),
    look: Math.max(0, CAPACITY - session.held.size),
    undo: Math.max(0, CAPACITY - session.held.size),
  },
  held: [...session.held],
  replies: [...session.outbox.values()],
});

function settle(life: HandlerLife, session: Session, replyId: string, isAccepted: boolean): void {
  const reply = session.outbox.get(replyId);
  session.outbox.delete(replyId);
  session.held.delete(replyId.slice(0, -':end'.length));
  const again = life.settled(replyId, isAccepted);
  if (reply !== undefined && again) life.clock.after(life.random.below(3_000), () => session.outbox.set(replyId, reply));
}

function take(life: HandlerLife, session: Session, task: CloudEvent<TaskData>): void {
  if (session.seen.has(task.id)) return;
  session.seen.add(task.id);
  session.held.add(task.id);
  // Nobody waits longer than the step may take, so neither does who works at it. Given again, it is begun again.
  life.clock.after(task.data?.timeoutMs ?? 0, () => (session.held.delete(task.id), session.seen.delete(task.id)));
  life.work(
    task,
    (reply) => session.outbox.set(reply.id, reply),
    () => session.held.delete(task.id),
  );
}
