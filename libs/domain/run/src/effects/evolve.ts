import type { Envelope, RunEvent } from '../events.js';
import { outputDigest } from '../state-digest.js';
import type { EffectChoice } from '../branches/events.js';
import { parseOccurrence, type EffectEntry, type RunState, type StepEntry } from '../state.js';

/** Folds the ledger of effects: one entry a key, the newest intent. Never rewinds with a path. */
export function evolveEffects(state: RunState, event: RunEvent, { causationId }: Pick<Envelope, 'causationId'>): RunState {
  switch (event.type) {
    case 'EffectIntended': {
      const { key, suffix, step, attemptId, fingerprint, guarantee } = event.data;
      const entry = state.path.steps.get(step);
      const steps =
        entry?.work === undefined
          ? state.path.steps
          : state.path.steps.set(step, { ...entry, work: { ...entry.work, effect: { key, suffix } } });
      const before = state.ledger.effects.get(key);
      const inDoubt = before?.suffix === suffix && (before.inDoubt || before.status === 'unknown');
      const intended: EffectEntry = {
        suffix,
        status: 'intended',
        fingerprint,
        guarantee,
        step,
        attemptId,
        n: state.path.attempts.get(attemptId)?.n ?? 0,
        inDoubt,
        result: null,
        output: null,
        work: entry?.work === undefined ? null : { input: entry.work.input, params: entry.work.params },
      };
      const choices = state.path.choices.delete(key); // What was chosen for the intent before has been done.
      return withEffect({ ...state, path: { ...state.path, steps, choices } }, key, intended);
    }
    case 'EffectConfirmed': {
      const { key, step, by, receipt } = event.data;
      const output = by === 'reply' ? (state.path.steps.get(step)?.output ?? null) : { value: receipt ?? null };
      const confirmed = moved(state, key, { status: 'confirmed', result: outputDigest(output), output, inDoubt: false });
      return by === 'person' ? withControl(confirmed, causationId) : confirmed;
    }
    case 'EffectAbsent': {
      const absent = moved(state, event.data.key, { status: 'absent', inDoubt: false });
      return state.ledger.effects.get(event.data.key)?.status === 'unknown' ? withControl(absent, causationId) : absent;
    }
    case 'EffectUnknown':
      return moved(state, event.data.key, { status: 'unknown' });
    case 'EffectCompensated':
      return moved(state, event.data.key, { status: 'compensated' });
    case 'VerdictApplied': {
      const choice = choiceOf(event.data.then);
      return choice === undefined ? state : withChoice(state, parseOccurrence(event.data.step).step, choice);
    }
    default:
      return state;
  }
}

/** How an option of a review says what becomes of an effect. */
export const THEN = 'effect:';

const choiceOf = (then: string): EffectChoice | undefined =>
  then.startsWith(THEN) ? (then.slice(THEN.length) as EffectChoice) : undefined;

/** What was to be asked has been answered. */
function withChoice(state: RunState, step: string, choice: EffectChoice): RunState {
  let { choices } = state.path;
  for (const [key, before] of choices.entries())
    if (before === 'ask' && state.ledger.effects.get(key)?.step === step) choices = choices.set(key, choice);
  return { ...state, path: { ...state.path, choices } };
}

function moved(state: RunState, key: string, change: Partial<EffectEntry>): RunState {
  const before = state.ledger.effects.get(key);
  return before === undefined ? state : withEffect(state, key, { ...before, ...change });
}

const withEffect = (state: RunState, key: string, entry: EffectEntry): RunState => ({
  ...state,
  ledger: { ...state.ledger, effects: state.ledger.effects.set(key, entry) },
});

/** Whether the effect of a step stands as unknown. */
export function isEffectUnknown(state: RunState, step: string): boolean {
  const key = state.path.steps.get(step)?.work?.effect?.key;
  return key !== undefined && state.ledger.effects.get(key)?.status === 'unknown';
}

/** What asked for it was done, and is not done again (I-28). */
export const withControl = (state: RunState, causationId: string): RunState => ({
  ...state,
  ledger: { ...state.ledger, controls: [...state.ledger.controls, causationId] },
});

/** The step that has failed here over an effect, if it is that one: what becomes of the effect becomes of the step, too. */
export function failedOver(state: RunState, { key, step }: { readonly key: string; readonly step: string }): StepEntry | undefined {
  const entry = state.path.steps.get(step);
  return state.end === null && entry?.status === 'failed' && entry.work?.effect?.key === key ? entry : undefined;
}
