import type { Id, Revision } from '@cairn/kernel';

/** What a link is for, and where its run handed it out. */
export interface CallbackClaim {
  readonly ns: string;
  readonly run: Id;
  /** The step that waits, and which of its callbacks. */
  readonly wait: string;
  readonly name: string;
  /** The `StepStarted` of the attempt that was given it: a fork from before this leaves the link behind. */
  readonly branch: string;
  readonly revision: Revision;
}

/**
 * Signs links and knows its own (`reliability.md` §6.3). An equal claim gives an equal token while the key is the same, so that a task which
 * is offered again is the same task. A token holds nothing secret but its signature.
 */
export interface CallbackTokens {
  issue(claim: CallbackClaim): string;
  /** `undefined` for whatever was not issued here: forged, cut, of another key. Never throws, whatever the text. */
  read(token: string): CallbackClaim | undefined;
}
