/** Hops of a message that no port sees: the history was read into a state, and a decision was taken on it. */
export type InnerHop = 'folded' | 'decided';

let reached: ((hop: InnerHop) => void) | undefined;

/** A place where a test may end this process (`reliability.md` §3.1). Does nothing unless the process was started to die. */
export function crashPoint(hop: InnerHop): void {
  reached?.(hop);
}

/** Tells `listener` of each hop from now on. One a process: the last counts. */
export function onCrashPoint(listener: ((hop: InnerHop) => void) | undefined): void {
  reached = listener;
}
