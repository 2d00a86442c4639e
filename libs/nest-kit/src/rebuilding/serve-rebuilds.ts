import type { Folds } from '@cairn/application';
import { lineSubjects, REBUILD_BEAT_MS, type FoldView, type RebuildQuestion, type RebuildWord } from '@cairn/contracts';
import { isId, type Id } from '@cairn/kernel';
import type { Clock, Line, Listening, Timer } from '@cairn/ports';

export interface RebuildServing {
  readonly line: Line;
  readonly clock: Clock;
  readonly service: string;
  /** Fresh for each start. */
  readonly process: Id;
  readonly folds: Folds;
  readonly onBug: (error: unknown) => void;
}

/** Folds anew whenever the gateway asks all processes to, and tells how that went. One asking after another. */
export function serveRebuilds(serving: RebuildServing): Listening {
  let last: Promise<void> = Promise.resolve();
  let stopped = false;
  const listening = serving.line.listen(lineSubjects.rebuild, ({ data }) => {
    const asked = questionOf(data);
    if (asked === undefined) return;
    const beats = beatWhile(serving, asked, () => stopped);
    last = last.then(async () => {
      try {
        if (!stopped) say(serving, { asked, folds: await all(serving) });
      } catch (error) {
        serving.onBug(error);
      } finally {
        beats.cancel();
      }
    });
  });
  return {
    stop: () => {
      stopped = true;
      listening.stop();
    },
  };
}

/** One after another: runs go on meanwhile, and come first. */
async function all({ folds, process }: RebuildServing): Promise<readonly FoldView[]> {
  const views: FoldView[] = [];
  for (const fold of folds.all()) views.push({ service: fold.service, process, ...(await fold.rebuild()) });
  return views;
}

function beatWhile(serving: RebuildServing, asked: Id, isOver: () => boolean): { cancel(): void } {
  let timer: Timer | undefined;
  let cancelled = false;
  const beat = (): void => {
    if (cancelled || isOver()) return;
    say(serving, { asked });
    timer = serving.clock.after(REBUILD_BEAT_MS, beat);
  };
  beat();
  return {
    cancel: () => {
      cancelled = true;
      timer?.cancel();
    },
  };
}

function say({ line, service, process }: RebuildServing, word: Omit<RebuildWord, 'service' | 'process'>): void {
  line.tell(lineSubjects.rebuilt, Buffer.from(JSON.stringify({ ...word, service, process } satisfies RebuildWord)));
}

function questionOf(data: Uint8Array): Id | undefined {
  try {
    const { asked } = JSON.parse(Buffer.from(data).toString('utf8')) as Partial<RebuildQuestion>;
    return isId(asked) ? asked : undefined;
  } catch {
    return undefined;
  }
}
