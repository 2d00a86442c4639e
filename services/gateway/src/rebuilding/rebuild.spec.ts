// Goal: an operator learns of every process how its folds compare, and of every one that said nothing (C-TRUTH). Method: the real asking on
// virtual time and a memory line; processes answer by the service kit's own serving, or as the spec plays them.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Folds, type FoldReport } from '@cairn/application';
import { createMemoryLine, type MemoryLine } from '@cairn/bus-memory';
import { lineSubjects, PRESENCE_BEAT_MS, subjects, type RebuildLine } from '@cairn/contracts';
import { idOf } from '@cairn/kernel';
import { serveRebuilds } from '@cairn/nest-kit';
import { Pcg32, Scheduler, seededIds } from '@cairn/simulated';
import { rebuild } from './rebuild.js';

function report(fold: string, equal = true): FoldReport {
  const [before, after] = ['a', equal ? 'a' : 'b'];
  return { fold, events: 3, seconds: 0.1, before, after, equal, differences: equal ? [] : ['- had', '+ says'] };
}

function foldsOf(service: string, rebuildOne: () => Promise<FoldReport>): Folds {
  const folds = new Folds();
  folds.add(service, [{ fold: 'working set', rebuild: rebuildOne }]);
  return folds;
}

class World {
  readonly scheduler = new Scheduler();
  readonly clock = this.scheduler.clockOf('gateway');
  readonly board = createMemoryLine({ clock: this.clock });
  readonly ids = seededIds(new Pcg32(7n, 1n));

  serve(service: string, rebuildOne: () => Promise<FoldReport>): MemoryLine {
    const line = this.board.line();
    const folds = foldsOf(service, rebuildOne);
    serveRebuilds({ line, clock: this.clock, service, process: this.ids.next(), folds, onBug: () => undefined });
    return line;
  }

  /** All services of a stack, each well. */
  serveAll(...services: readonly string[]): void {
    for (const service of services) this.serve(service, () => Promise.resolve(report('working set')));
  }

  /** A replica of execution that is heard, whatever else it does. */
  beat(name: string): void {
    const line = this.board.line();
    const replica = idOf('random', name);
    const again = (): void => {
      line.tell(subjects.presence(replica), Buffer.from(JSON.stringify({ replica })));
      this.clock.after(PRESENCE_BEAT_MS, again);
    };
    again();
  }

  async lines(folds = new Folds(), withLine = true): Promise<readonly RebuildLine[]> {
    const parts = { clock: this.clock, ids: this.ids, folds, ...(withLine ? { line: this.board.line() } : {}) };
    const lines: RebuildLine[] = [];
    let over = false;
    const reading = (async () => {
      for await (const line of rebuild(parts)) lines.push(JSON.parse(line) as RebuildLine);
      over = true;
    })();
    for (let i = 0; i < 1_000 && !over; i++) await this.scheduler.drain(this.scheduler.now + 100);
    await reading;
    return lines;
  }
}

const end = (lines: readonly RebuildLine[]): unknown => lines.at(-1);
const servicesTold = (lines: readonly RebuildLine[]): string[] =>
  lines.flatMap((line) => (line.kind === 'fold' ? [line.service] : [])).sort();

describe('asking every process to fold anew', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  it('gives what each says of each fold, of every replica', async () => {
    world.serveAll('execution', 'execution', 'scheduling', 'retry-policy', 'human-review', 'gateway');
    world.beat('red');
    world.beat('blue');
    const lines = await world.lines();
    expect(servicesTold(lines)).toEqual(['execution', 'execution', 'gateway', 'human-review', 'retry-policy', 'scheduling']);
    expect(end(lines)).toEqual({ kind: 'end', equal: true, unreached: [] });
  });

  it('says that a fold differs, and how', async () => {
    world.serveAll('execution', 'retry-policy', 'human-review', 'gateway');
    world.serve('scheduling', () => Promise.resolve(report('working set', false)));
    const lines = await world.lines();
    expect(lines).toContainEqual(expect.objectContaining({ service: 'scheduling', equal: false, differences: ['- had', '+ says'] }));
    expect(end(lines)).toEqual({ kind: 'end', equal: false, unreached: [] });
  });

  it('waits for one that takes long, as long as it is heard', async () => {
    world.serveAll('execution', 'retry-policy', 'human-review', 'gateway');
    world.serve('scheduling', () => new Promise((resolve) => world.clock.after(40_000, () => resolve(report('working set')))));
    expect(end(await world.lines())).toEqual({ kind: 'end', equal: true, unreached: [] });
  });

  it('names a service of which nobody answers, a replica that is heard and does not, and one that fell silent', async () => {
    world.serveAll('execution', 'gateway');
    world.beat('red');
    world.beat('blue');
    const dying = world.serve('retry-policy', () => new Promise(() => undefined));
    world.clock.after(3_000, () => void dying.close());
    const lines = await world.lines();
    expect(end(lines)).toEqual({
      kind: 'end',
      equal: true,
      unreached: ['execution (1 of 2)', 'scheduling', 'retry-policy', 'human-review'],
    });
  });

  it('hears nothing of another asking, and no nonsense', async () => {
    const line = world.board.line();
    world.serveAll('execution', 'scheduling', 'retry-policy', 'human-review', 'gateway');
    line.listen(lineSubjects.rebuild, () => {
      line.tell(lineSubjects.rebuilt, Buffer.from('no JSON'));
      const word = { asked: idOf('random', 'other'), service: 'scheduling', process: idOf('random', 'p'), folds: [report('x', false)] };
      line.tell(lineSubjects.rebuilt, Buffer.from(JSON.stringify(word)));
    });
    line.tell(lineSubjects.rebuild, Buffer.from('{"asked":"nobody"}'));
    expect(end(await world.lines())).toEqual({ kind: 'end', equal: true, unreached: [] });
  });

  it('needs no line where every service is in this process', async () => {
    const folds = foldsOf('scheduling', () => Promise.resolve(report('working set', false)));
    const lines = await world.lines(folds, false);
    expect(servicesTold(lines)).toEqual(['scheduling']);
    expect(end(lines)).toEqual({ kind: 'end', equal: false, unreached: [] });
  });
});
