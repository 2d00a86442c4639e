import { canon, idOf } from '@cairn/kernel';
import type { Envelope, RunEvent } from '../events.js';
import { count, settle } from '../steps/evolve.js';
import type { CollectedTrigger, RunState, StepOutput, WaitEntry } from '../state.js';
import type { WaitTriggered } from './events.js';

/** Folds what waits leave in path and ledger. */
export function evolveWaits(state: RunState, event: RunEvent, envelope: Envelope): RunState {
  switch (event.type) {
    case 'WaitOpened': {
      const { waitId, step } = event.data;
      const before = state.path.waits.get(waitId);
      const entry: WaitEntry = {
        step,
        open: true,
        opened: event.data,
        openedAt: envelope.at,
        got: before?.got ?? [], // An opening under a known id keeps the triggers collected.
        stale: null,
      };
      return {
        ...state,
        path: {
          ...state.path,
          waits: state.path.waits.set(waitId, entry),
          steps: state.path.steps.set(step, { status: 'waiting', attempts: 0, output: null }),
          counts: count(state.path.counts, { openWaits: 1 }),
        },
      };
    }
    case 'WaitTriggered': {
      const entry = state.path.waits.get(event.data.waitId);
      if (entry === undefined) return state;
      const got = [...entry.got, collected(event.data)];
      const used = state.ledger.used.set(usedKey(entry.step, event.data.eventId), true);
      const carried = state.path.carried.delete(event.data.eventId);
      return change(
        event.data.waitId,
        { ...entry, got },
        { ...state, path: { ...state.path, carried }, ledger: { ...state.ledger, used } },
      );
    }
    case 'WaitSatisfied': {
      const entry = state.path.waits.get(event.data.waitId);
      if (entry === undefined) return state;
      const output = outputOfWait(entry, event.data.triggers);
      return settle(shut(event.data.waitId, entry, state), entry.step, 'succeeded', output);
    }
    case 'WaitExpired': {
      const entry = state.path.waits.get(event.data.waitId);
      if (entry === undefined) return state;
      const closed = shut(event.data.waitId, entry, state);
      const { then } = event.data;
      if ('value' in then) return settle(closed, entry.step, 'succeeded', { value: then.value });
      if (!('step' in then)) return closed; // The end, or the skip, follows in the same append.
      const settled = settle(closed, entry.step, 'succeeded', { value: { trigger: 'deadline' } });
      return { ...settled, path: { ...settled.path, detours: settled.path.detours.set(entry.step, then.step) } };
    }
    case 'WaitWithdrawn': {
      const entry = state.path.waits.get(event.data.waitId);
      if (entry === undefined) return state;
      const shutAway = shut(event.data.waitId, entry, state);
      if (event.data.reason === undefined) return shutAway;
      // Only a person says why: asked for once more the command is known.
      return { ...shutAway, ledger: { ...shutAway.ledger, controls: [...shutAway.ledger.controls, envelope.causationId] } };
    }
    case 'WaitStale': {
      const entry = state.path.waits.get(event.data.waitId);
      if (entry === undefined) return state;
      const stale = change(event.data.waitId, { ...entry, stale: event.data.because }, state);
      if (event.data.asks === undefined) return stale;
      return { ...stale, path: { ...stale.path, detours: stale.path.detours.set(entry.step, event.data.asks) } };
    }
    default:
      return state;
  }
}

/** Ids of waits follow from their step: opened again it is the same wait. */
export const waitIdOf = ({ runId }: RunState, step: string): string => idOf('wait', runId, step);

/** An external event counts once per wait step, over occurrences and branches (`architecture.md` §4.6). */
export const usedKey = (step: string, eventId: string): string => canon([step, eventId]);

/** Triggers that have come, each index once, in the order in which they came. */
export function triggersGot(entry: WaitEntry): number[] {
  return [...new Set(entry.got.map(({ trigger }) => trigger))];
}

/** Whether what has come is enough for the wait's combination. */
export function isEnough(entry: WaitEntry): boolean {
  const got = triggersGot(entry).length;
  switch (entry.opened.mode) {
    case 'any':
      return got >= 1;
    case 'all':
      return got >= entry.opened.triggers.length;
    case 'atLeast':
      return got >= entry.opened.k;
  }
}

/** `{trigger, data, at}` of the one that ended an `any` wait, else the list of them in the order they came. */
function outputOfWait(entry: WaitEntry, triggers: readonly number[]): StepOutput {
  const views = cameOf(entry, triggers);
  const single = entry.opened.mode === 'any' && !entry.opened.keepOpen;
  return { value: single ? (views[0] ?? null) : views };
}

/** What has come, as the step's output holds it: of all triggers, or of some. */
export function cameOf(entry: WaitEntry, triggers: readonly number[] = triggersGot(entry)) {
  const named = entry.got.filter(({ trigger }) => triggers.includes(trigger));
  return named.map(({ trigger, at, data }) => ({ at, data: 'value' in data ? data.value : { ...data.ref }, trigger }));
}

function collected(data: WaitTriggered['data']): CollectedTrigger {
  return {
    trigger: data.trigger,
    eventId: data.eventId,
    at: data.at,
    data: data.dataRef === undefined ? { value: data.data ?? null } : { ref: data.dataRef },
    ...(data.source === undefined ? {} : { event: { source: data.source, id: data.id ?? '', type: data.type ?? '' } }),
  };
}

const change = (waitId: string, entry: WaitEntry, state: RunState): RunState => ({
  ...state,
  path: { ...state.path, waits: state.path.waits.set(waitId, entry) },
});

function shut(waitId: string, entry: WaitEntry, state: RunState): RunState {
  if (!entry.open) return state;
  const closed = change(waitId, { ...entry, open: false }, state);
  return { ...closed, path: { ...closed.path, counts: count(closed.path.counts, { openWaits: -1 }) } };
}
