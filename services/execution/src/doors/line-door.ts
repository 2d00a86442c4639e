import {
  checkBody,
  checkFrame,
  claimSchema,
  deskQuestions,
  foreignJson,
  lineSubjects,
  namespaceOf,
  problemOf,
  ReplyRefused,
  replySchema,
  type ClaimResponse,
  type DeskMessages,
  type DeskQuestion,
  type ExchangeResponse,
  type Problem,
} from '@cairn/contracts';
import { isId, isName, type FieldError, type Id, type Json } from '@cairn/kernel';
import { isFault, type Clock, type Line, type LineMessage, type Listening, type Metrics } from '@cairn/ports';
import type { Desk } from '../leases/desk.js';
import { fromBytes, toBytes } from '../partitions/words.js';
import type { Serving } from '../partitions/serving.js';
import { LineCallers } from './line-callers.js';
import { TaskRoom } from './task-room.js';

/** An attempt that nobody knows may have been started a moment ago elsewhere: so long a claim of it waits to be refused. */
const CLAIM_SETTLE_MS = 300;
/** A poll is asked one replica after the other, so none may hold it for long. */
const POLL_WAIT_MS_MAX = 1_000;
const POLL_TASKS_MAX = 256;

export interface LineDoorParts {
  readonly replica: Id;
  readonly line: Line;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly desk: Desk;
  readonly serving: Serving;
  readonly onMoved: (runId: Id) => void;
}

/** What others ask of this replica over the line: frames of sessions, the gateway's questions to the desk, claims. */
export class LineDoor {
  private listening: Listening[] = [];
  private readonly callers: LineCallers;
  private underWay = 0;
  private idle: (() => void) | undefined;

  constructor(private readonly parts: LineDoorParts) {
    this.callers = new LineCallers(parts.line, parts.clock, (session) => parts.desk.lostConnection(session));
  }

  start(): void {
    const { line, replica } = this.parts;
    this.callers.start();
    this.listening = [
      line.listen(lineSubjects.exchange(replica), (message) => this.answer(message, (body) => this.exchange(message, body))),
      line.listen(lineSubjects.desk(replica), (message) => this.answer(message, (body) => this.ask(message, body))),
      line.listen(lineSubjects.claims, (message) => {
        // Silent: the one who serves the partition answers.
        if (this.parts.serving.servesPartition(Number(message.subject.split('.')[3])))
          this.answer(message, (body) => this.claim(message, body));
      }),
    ];
  }

  /** Hears nothing more; resolves when what was asked is answered. */
  async stop(): Promise<void> {
    for (const listening of this.listening) listening.stop();
    this.callers.stop();
    if (this.underWay > 0) await new Promise<void>((resolve) => (this.idle = resolve));
  }

  /** Whatever goes wrong is an answer, too: nobody is left to wait for the end of his patience. */
  private answer(message: LineMessage, work: (body: Json) => Promise<Uint8Array | undefined>): void {
    const body = fromBytes(message.data);
    const wrong = body === undefined ? 'it is not JSON' : foreignJson(body);
    if (wrong !== undefined || body === undefined) return message.answer(problem('invalid_json', `The message cannot be read: ${wrong}.`));
    this.underWay += 1;
    work(body)
      .catch((error: unknown) => this.problemOfError(error))
      .then((bytes) => {
        if (bytes !== undefined) message.answer(bytes);
      })
      .catch(() => this.parts.metrics.count('cairn_bugs_total', { service: 'execution' }))
      .finally(() => {
        this.underWay -= 1;
        if (this.underWay === 0) this.idle?.();
      });
  }

  private problemOfError(error: unknown): Uint8Array {
    if (error instanceof ReplyRefused) return problem('invalid_body', 'The reply is not one that can be taken.', error.errors);
    if (isFault(error)) return problem('service_unavailable', 'The store or the bus does not answer; ask again.');
    this.parts.metrics.count('cairn_bugs_total', { service: 'execution' });
    return problem('internal_error', 'Something went wrong here.');
  }

  private async exchange({ subject, data }: LineMessage, body: Json): Promise<Uint8Array> {
    const checked = checkFrame(body, data.length, 'line');
    if (checked.kind === 'bad') return problem('invalid_body', 'The frame is not one of a worker session.', checked.errors);
    const { frame } = checked;
    const gone = this.callers.heard(frame.session, frame.alive);
    const room = new TaskRoom(frame.replies);
    return frameBytes(await this.parts.desk.exchange(namespaceOf(subject), frame, gone, room), room);
  }

  private async ask({ subject }: LineMessage, body: Json): Promise<Uint8Array | undefined> {
    const { desk, onMoved } = this.parts;
    const ns = namespaceOf(subject);
    const question = questionOf(subject.split('.')[4], body);
    if (question === undefined) return problem('invalid_body', 'There is no such question, or it lacks what it must say.');
    switch (question.kind) {
      case 'poll': {
        const room = new TaskRoom();
        const tasks = await desk.poll(ns, question.asks.queue, question.asks, room);
        return Buffer.from(`{"tasks":${room.textOf(tasks)}}`);
      }
      case 'heartbeat':
        return toBytes({ open: await desk.heartbeat(ns, question.asks.attemptId) });
      case 'reply': {
        const checked = checkBody(replySchema, question.asks.reply);
        if (checked.kind === 'bad') return problem('invalid_body', 'The reply is not one of a handler.', checked.errors);
        return toBytes({ outcome: await desk.reply(ns, question.asks.attemptId, checked.value) });
      }
      case 'queue':
        return toBytes(await desk.queue(ns, question.asks.queue));
      case 'holder': {
        const holder = await desk.holder(question.asks.attemptId);
        return toBytes(holder === undefined ? {} : { holder });
      }
      case 'lost':
        this.callers.lost(question.asks.session);
        return undefined;
      case 'moved':
        onMoved(question.asks.runId);
        return undefined;
    }
  }

  private async claim({ subject }: LineMessage, body: Json): Promise<Uint8Array> {
    const checked = checkBody(claimSchema, body);
    if (checked.kind === 'bad') return problem('invalid_body', 'The claim is not one of an attempt.', checked.errors);
    const ns = namespaceOf(subject);
    const { desk, clock } = this.parts;
    let answered = desk.claim(ns, checked.value);
    if (answered === undefined && !desk.knows(checked.value.lease.attemptId)) {
      await new Promise<void>((resolve) => clock.after(CLAIM_SETTLE_MS, resolve));
      answered = desk.claim(ns, checked.value);
    }
    const over: ClaimResponse = { granted: false, because: 'over' };
    return toBytes((await answered) ?? over);
  }
}

type Question = { readonly [K in DeskQuestion]: { readonly kind: K; readonly asks: DeskMessages[K]['asks'] } }[DeskQuestion];

/** What may stand in each question. Those who ask are our own processes, so a wrong one is told in one sentence. */
const fields: { readonly [K in DeskQuestion]: (asks: Record<string, unknown>) => boolean } = {
  poll: ({ queue, max, waitMs, session }) =>
    isName(queue) && isWithin(max, 1, POLL_TASKS_MAX) && isWithin(waitMs, 0, POLL_WAIT_MS_MAX) && (session === undefined || isId(session)),
  heartbeat: ({ attemptId }) => isId(attemptId),
  reply: ({ attemptId, reply }) => isId(attemptId) && typeof reply === 'object',
  queue: ({ queue }) => isName(queue),
  holder: ({ attemptId }) => isId(attemptId),
  lost: ({ session }) => isId(session),
  moved: ({ runId }) => isId(runId),
};

function questionOf(kind: string | undefined, body: Json): Question | undefined {
  const question = deskQuestions.find((name) => name === kind);
  if (question === undefined || typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  return fields[question](body as Record<string, unknown>) ? ({ kind: question, asks: body } as unknown as Question) : undefined;
}

const isWithin = (value: unknown, min: number, max: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;

/** Its tasks are written already. */
function frameBytes({ tasks, ...rest }: ExchangeResponse, room: TaskRoom): Uint8Array {
  if (tasks.length === 0) return toBytes({ ...rest, tasks });
  return Buffer.from(`${JSON.stringify(rest).slice(0, -1)},"tasks":${room.textOf(tasks)}}`);
}

function problem(code: string, detail: string, errors?: readonly FieldError[]): Uint8Array {
  const body: { readonly problem: Problem } = { problem: problemOf(code, detail, errors === undefined ? {} : { errors }) };
  return toBytes(body);
}
