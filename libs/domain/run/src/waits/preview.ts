import { idOf, type Instant, type Json } from '@cairn/kernel';
import type { InboundEvent, Plan } from '@cairn/domain-definition';
import type { CommandContext } from '../commands.js';
import { Draft, type LoadedOutputs } from '../draft.js';
import type { RunEvent } from '../events.js';
import type { RunState, WaitEntry } from '../state.js';
import { stateDigest } from '../state-digest.js';
import { brokenGuard, satisfyWait } from './decide.js';
import { cameOf, triggersGot } from './evolve.js';

/** What a wait would do if it were satisfied now; nothing is decided by it. */
export interface WakePreview {
  /** Digest of the state that returns: the run as it is, which the next decision is taken on (C-WAKEPREVIEW). */
  readonly stateDigest: string;
  /** Triggers, by index, that were taken to have come. */
  readonly triggers: readonly number[];
  /** What begins in the append that satisfies it, in its order. */
  readonly next: readonly NextStep[];
  /** The guard that would not let an event in thought through. */
  readonly broken?: { readonly clause: string; readonly expected: Json; readonly got: Json };
  /** How the run would end in that append. */
  readonly ends?: string;
}

export interface NextStep {
  readonly step: string;
  readonly does: 'starts' | 'waits' | 'asks' | 'emits' | 'skipped';
}

/**
 * Lets a wait be satisfied in thought: what is missing comes, in the order of its triggers, with that data. Pure, and by the code that
 * decides it in earnest. Throws `MissingOutput` as that does.
 */
export function previewWake(
  plan: Plan,
  state: RunState,
  wake: {
    readonly waitId: string;
    readonly trigger?: number;
    readonly data: Json;
    readonly event?: Omit<InboundEvent, 'receiptId' | 'id' | 'extensions'>;
  },
  context: CommandContext,
  loaded: LoadedOutputs,
): WakePreview | undefined {
  const draft = new Draft(plan, state, context, loaded);
  const wait = state.path.waits.get(wake.waitId);
  if (wait?.open !== true) return undefined;
  const triggers = missingOf(wait, wake.trigger);
  const guard = wake.event === undefined ? undefined : brokenGuard(draft, wait, { ...wake.event, ...IN_THOUGHT });
  for (const trigger of triggers)
    draft.add({
      type: 'WaitTriggered',
      version: 1,
      data: {
        waitId: wake.waitId,
        step: wait.step,
        trigger,
        eventId: idOf('timer', wake.waitId, trigger),
        kept: false,
        at: draft.at,
        data: wake.data,
      },
    });
  satisfyWait(draft, wake.waitId, draft.state.path.waits.get(wake.waitId) ?? wait);
  const ends = draft.events.map(endOf).find((end) => end !== undefined);
  return {
    stateDigest: stateDigest(state),
    triggers,
    next: draft.events.flatMap(nextOf),
    ...(guard === undefined ? {} : { broken: { clause: 'guard', expected: guard.expected as Json, got: guard.got as Json } }),
    ...(ends === undefined ? {} : { ends }),
  };
}

/**
 * What a wait gives that is fired by hand: what has come for it, and the named trigger, else the first that is missing, with the data. Of what
 * is missing besides nobody says that it came. `undefined`: the named one has come already.
 */
export function firedOutput(
  wait: WaitEntry,
  { trigger: named, data, at }: { readonly trigger?: number; readonly data: Json; readonly at: Instant },
): { readonly trigger: number; readonly output: Json } | undefined {
  const { mode, keepOpen } = wait.opened;
  const [trigger = 0] = mode === 'any' ? [named ?? 0] : missingOf(wait, named);
  const fired = { trigger, data, at };
  if (mode === 'any') return { trigger, output: keepOpen ? [...cameOf(wait), fired] : fired };
  if (named !== undefined && named !== trigger) return undefined;
  return { trigger, output: [...cameOf(wait), fired] };
}

/** An event that nobody has sent has no names of its own. */
const IN_THOUGHT = { receiptId: idOf('receipt', 'in-thought'), id: 'in-thought', extensions: {} };

/** What has to come still, the named one first: as few as satisfy the wait. */
function missingOf(wait: WaitEntry, named: number | undefined): number[] {
  const got = triggersGot(wait);
  const { mode, k, triggers } = wait.opened;
  const needed = (mode === 'any' ? 1 : mode === 'all' ? triggers.length : k) - got.length;
  const open = triggers.map((_, index) => index).filter((index) => !got.includes(index));
  const order = named !== undefined && open.includes(named) ? [named, ...open.filter((index) => index !== named)] : open;
  return order.slice(0, Math.max(0, needed));
}

function nextOf(event: RunEvent): NextStep[] {
  switch (event.type) {
    case 'StepStarted':
      return [{ step: event.data.step, does: 'starts' }];
    case 'WaitOpened':
      return [{ step: event.data.step, does: 'waits' }];
    case 'ReviewRequested':
      return [{ step: event.data.step, does: 'asks' }];
    case 'EventEmitted':
      return [{ step: event.data.step, does: 'emits' }];
    case 'StepSkipped':
      return [{ step: event.data.step, does: 'skipped' }];
    default:
      return [];
  }
}

function endOf(event: RunEvent): string | undefined {
  if (event.type === 'RunCompleted') return event.data.outcome;
  if (event.type === 'RunFailed') return 'failed';
  return event.type === 'RunGaveUp' ? 'gave_up' : undefined;
}
