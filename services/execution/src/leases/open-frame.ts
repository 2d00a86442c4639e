import type { HangUp } from '@cairn/contracts';
import type { Session } from './session.js';

/**
 * A frame that waits for its answer. While its sender is there it counts as a beat, and takes along what its session is given; one
 * whose sender has hung up counts for nothing.
 */
export class OpenFrame {
  isCut = false;
  private ended = false;
  private answerNow: (() => void) | undefined;

  /** `onCut` is told once if the sender hangs up before `end`. */
  constructor(
    private readonly session: Session,
    private readonly gone: HangUp | undefined,
    private readonly onCut: () => void,
  ) {
    session.frames += 1;
    if (gone === undefined) return;
    if (gone.aborted) this.cut();
    else gone.addEventListener('abort', this.cut);
  }

  /** It is held open: a sender who hangs up need not be held any longer. */
  held(release: () => void): void {
    this.answerNow = release;
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.session.frames -= 1;
    this.gone?.removeEventListener('abort', this.cut);
  }

  private readonly cut = (): void => {
    if (this.ended) return;
    this.isCut = true;
    this.end();
    this.answerNow?.();
    this.onCut();
  };
}
