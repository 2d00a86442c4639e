import {
  lineSubjects,
  REBUILD_BEAT_MS,
  REBUILD_PATIENCE_MS,
  type Presence,
  type RebuildLine,
  type RebuildQuestion,
  type RebuildWord,
} from '@cairn/contracts';
import { isId, type Id } from '@cairn/kernel';
import type { Clock, Line, Listening } from '@cairn/ports';

/** What a stack consists of. */
const SERVICES = ['execution', 'scheduling', 'retry-policy', 'human-review', 'gateway'] as const;
/** Whoever lives has said that it is there by then, and replicas of execution have been heard several times. */
const ROLL_CALL_MS = 1.5 * REBUILD_BEAT_MS;
/** How often it is looked whether somebody has fallen silent. */
const LOOK_MS = 250;

interface Answering {
  readonly service: string;
  heardAt: number;
  done: boolean;
}

/**
 * Asks every process of the stack to fold anew what it has folded, and gives what each says. Who is counted on: one of each service,
 * and every replica of execution whose beat is heard.
 */
export class AskEverybody {
  private readonly answering = new Map<Id, Answering>();
  private readonly replicas = new Set<Id>();
  private readonly lines: RebuildLine[] = [];
  private readonly begun: number;
  private equal = true;

  constructor(private readonly parts: { readonly line: Line; readonly clock: Clock; readonly asked: Id }) {
    this.begun = parts.clock.monotonicMs();
  }

  async *ask(): AsyncGenerator<RebuildLine> {
    const { line, clock, asked } = this.parts;
    const ears: Listening[] = [
      line.listen(lineSubjects.rebuilt, ({ data }) => this.hear(parsed<RebuildWord>(data))),
      line.listen(lineSubjects.presence, ({ data }) => this.meet(parsed<Presence>(data))),
    ];
    try {
      await line.roundTrip(REBUILD_PATIENCE_MS); // The server knows by now that we listen.
      line.tell(lineSubjects.rebuild, Buffer.from(JSON.stringify({ asked } satisfies RebuildQuestion)));
      while (!this.isOver()) {
        await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
        yield* this.lines.splice(0);
      }
      yield* this.lines.splice(0);
      const unreached = this.unreached();
      yield { kind: 'end', equal: this.equal, unreached };
    } finally {
      for (const ear of ears) ear.stop();
    }
  }

  private hear(word: Partial<RebuildWord>): void {
    const { asked, process, service, folds } = word;
    if (asked !== this.parts.asked || !isId(process) || typeof service !== 'string') return;
    const known = this.answering.get(process) ?? { service, heardAt: 0, done: false };
    if (known.done) return;
    this.answering.set(process, known);
    known.heardAt = this.parts.clock.monotonicMs();
    if (folds === undefined) return;
    if (folds.length === 0) return void this.answering.delete(process); // It is still starting: nobody has put a fold into its hands.
    known.done = true;
    for (const fold of folds) {
      this.equal &&= fold.equal;
      this.lines.push({ kind: 'fold', ...fold });
    }
  }

  private meet({ replica, leaving }: Partial<Presence>): void {
    if (!isId(replica)) return;
    if (leaving === true) this.replicas.delete(replica);
    else this.replicas.add(replica);
  }

  private isOver(): boolean {
    if (this.parts.clock.monotonicMs() - this.begun < ROLL_CALL_MS) return false;
    return [...this.answering.values()].every((one) => one.done || this.isSilent(one));
  }

  private isSilent({ heardAt }: Answering): boolean {
    return this.parts.clock.monotonicMs() - heardAt > REBUILD_PATIENCE_MS;
  }

  private unreached(): readonly string[] {
    const answered = (service: string): number => [...this.answering.values()].filter((one) => one.done && one.service === service).length;
    return SERVICES.flatMap((service) => {
      const silent = [...this.answering.values()].filter((one) => !one.done && one.service === service).length;
      const wanted = Math.max(1, service === 'execution' ? this.replicas.size : 0, answered(service) + silent);
      const missing = wanted - answered(service);
      return missing <= 0 ? [] : [wanted === 1 ? service : `${service} (${missing} of ${wanted})`];
    });
  }
}

function parsed<T>(data: Uint8Array): Partial<T> {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Partial<T>) : {};
  } catch {
    return {};
  }
}
