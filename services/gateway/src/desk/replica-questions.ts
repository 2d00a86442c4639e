import { subjects, type DeskMessages, type Problem } from '@cairn/contracts';
import type { Id } from '@cairn/kernel';
import { BusFault, type Line } from '@cairn/ports';
import type { HeardReplicas } from '@cairn/sdk/exchange';
import { Refused } from '../edge/refused.js';

/** Longer than a replica that lives takes to answer; one that is mute is missed by its beats at about the same time. */
const ANSWER_MS_MAX = 1_000;
/** A gateway that has just started hears each replica that lives within so long. */
export const FIRST_BEAT_MS = 400;

export type Question = Exclude<keyof DeskMessages, 'lost' | 'moved'>;

/** Asks replicas of execution about the work of their desks. */
export class ReplicaQuestions {
  constructor(
    private readonly line: Line,
    readonly replicas: HeardReplicas,
  ) {}

  /**
   * What one replica answers. Throws `Refused` with its refusal, and `BusFault` if no answer came; a replica that nobody hears at its
   * subjects is gone then.
   */
  async one<Q extends Question>(
    ns: string,
    replica: Id,
    question: Q,
    asks: DeskMessages[Q]['asks'],
    deadlineMs = ANSWER_MS_MAX,
  ): Promise<DeskMessages[Q]['answers']> {
    try {
      const answer = parsed(await this.line.ask(subjects.desk(ns, replica, question), bytesOf(asks), deadlineMs));
      if ('problem' in answer) throw refusal(answer.problem);
      return answer as DeskMessages[Q]['answers'];
    } catch (error) {
      if (error instanceof BusFault && error.code === 'no_consumer') this.replicas.gone(replica);
      throw error;
    }
  }

  /** What those that answer say, at least one, and why another did not. Throws `BusFault` if none does. */
  async each<Q extends Question>(
    ns: string,
    question: Q,
    asks: DeskMessages[Q]['asks'],
  ): Promise<{ readonly answers: readonly DeskMessages[Q]['answers'][]; readonly fault: Error | undefined }> {
    await this.someReplica();
    const heard = await Promise.allSettled(this.replicas.ids.map((replica) => this.one(ns, replica, question, asks)));
    const answers = heard.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const fault = heard.find((one) => one.status === 'rejected')?.reason as Error | undefined;
    if (answers.length === 0) throw fault ?? noReplica();
    return { answers, fault };
  }

  /** Throws `BusFault` if no replica is heard within the time of a first beat. */
  async someReplica(): Promise<void> {
    if (!(await this.replicas.some(FIRST_BEAT_MS))) throw noReplica();
  }

  /** Tells each replica that every connection which carried the session's frames is closed. */
  tellLost(ns: string, session: Id): void {
    const told = bytesOf({ session } satisfies DeskMessages['lost']['asks']);
    for (const replica of this.replicas.ids) this.line.tell(subjects.desk(ns, replica, 'lost'), told);
  }
}

export const noReplica = (): BusFault => new BusFault('bus_unavailable', 'no replica of execution is heard');

const bytesOf = (body: object): Uint8Array => Buffer.from(JSON.stringify(body));

function parsed(data: Uint8Array): object {
  return JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')) as object;
}

/** What a replica cannot do now is a fault; what it will never do is the caller's refusal. */
export function refusal(problem: unknown): Error {
  const said = problem as Problem;
  return said.status >= 500 ? new BusFault('bus_unavailable', said.detail) : new Refused(said);
}
