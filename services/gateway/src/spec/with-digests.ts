import { evolve, initialState, stateDigest, type RunEvent } from '@cairn/domain-run';
import { instantOf, type Id } from '@cairn/kernel';
import { BEGIN } from './histories.js';

export interface ToldAppend {
  /** Seconds after the begin of all histories. */
  readonly atS: number;
  readonly events: readonly RunEvent[];
}

/** The same appends with the digest in each checkpoint that the state before it has, as a decider writes them. */
export function withDigests(run: Id, appends: readonly ToldAppend[]): ToldAppend[] {
  let state = initialState(run);
  return appends.map(({ atS, events }) => ({
    atS,
    events: events.map((event) => {
      const right: RunEvent =
        event.type === 'CheckpointReached' ? { ...event, data: { ...event.data, stateDigest: stateDigest(state) } } : event;
      state = evolve(state, right, { revision: state.revision + 1, at: instantOf(BEGIN + atS * 1_000), causationId: run });
      return right;
    }),
  }));
}
