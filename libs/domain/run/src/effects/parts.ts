import { isBlocking, unsettledRetry } from '../recovery/evolve.js';
import type { Draft } from '../draft.js';
import { withdrawAboutFailure } from '../reviews/withdraw.js';
import { startAttempt } from '../steps/start.js';
import { parseOccurrence, partOf, type EffectEntry, type EffectPart, type Path, type RunState } from '../state.js';

/** What an attempt about an effect is started with. */
interface About {
  readonly key: string;
  readonly entry: EffectEntry;
  readonly queue: string;
  /** Why, for people and for the handler. */
  readonly purpose: string;
}

/** Starts an attempt of its own that finds out about an effect or undoes it (`architecture.md` §3.3), also after the run's end. */
export function startPart(draft: Draft, part: EffectPart, { key, entry, queue, purpose }: About): void {
  withdrawAboutFailure(draft, partOf(entry.step, part)); // Somebody has it done again, without the review.
  const { input, params } = entry.work ?? { input: null, params: {} };
  startAttempt(draft, partOf(entry.step, part), { queue, input, params, purpose, effect: { key, suffix: entry.suffix } });
}

/** Whether such an attempt is open, or another try of it is owed: it is asked already. After the end nobody tries again by himself. */
export function isUnderWay(state: RunState, step: string, part: EffectPart): boolean {
  const occurrence = partOf(step, part);
  const owed = state.end === null ? unsettledRetry(state, occurrence)?.[1] : undefined;
  return isOpen(state.path, occurrence) || (owed !== undefined && !isBlocking(owed.decision));
}

const isOpen = ({ attempts }: Path, occurrence: string): boolean => [...attempts.values()].some(({ step }) => step === occurrence);

/** Steps with work about their effects under way. */
export const partsUnderWay = ({ path }: RunState): readonly string[] =>
  [...path.attempts.values()].flatMap(({ step }) => (parseOccurrence(step).part === undefined ? [] : [step])).sort();

/**
 * Asks what became of an effect that has just become unknown, where its definition says so: before anybody thinks of another try
 * (`capabilities.md` §3.5). A paused run asks when it goes on.
 */
export function reconcileAtOnce(draft: Draft, key: string): void {
  const { state, plan } = draft;
  const entry = state.ledger.effects.get(key);
  const effect = entry === undefined ? undefined : plan.step(entry.step)?.effect;
  if (entry?.status !== 'unknown' || entry.guarantee !== 'reconcile' || effect?.reconcile === undefined) return;
  if (state.path.paused || state.end !== null || isUnderWay(state, entry.step, 'reconcile')) return;
  const purpose = `find out whether ${entry.step} has happened`;
  startPart(draft, 'reconcile', { key, entry, queue: effect.reconcile, purpose });
}

/** What could not be asked while the run was paused. In the definition's order: map order is that of hashes. */
export function reconcileOwed(draft: Draft): void {
  const owed = [...draft.state.path.retries.values()].filter(({ settled, decision }) => !settled && decision === null);
  const place = (step: string): number => draft.plan.step(step)?.index ?? 0;
  for (const { step } of owed.sort((a, b) => place(a.step) - place(b.step))) {
    const key = draft.state.path.steps.get(step)?.work?.effect?.key;
    if (key !== undefined && parseOccurrence(step).part === undefined) reconcileAtOnce(draft, key);
  }
}

/** Undoes what a branch was opened to undo (U-5), before the step's next intent: that takes the key's next suffix. In the order of keys. */
export function compensateChosen(draft: Draft): void {
  const chosen = [...draft.state.path.choices.entries()].filter(([, choice]) => choice === 'compensate');
  for (const [key] of chosen.sort(([a], [b]) => (a < b ? -1 : 1))) {
    const entry = draft.state.ledger.effects.get(key);
    const queue = entry === undefined ? undefined : draft.plan.step(entry.step)?.effect?.compensate;
    if (entry?.status !== 'confirmed' || queue === undefined || isAsked(draft.state, entry.step, 'compensate')) continue;
    const purpose = `undo ${entry.step}: ${draft.state.opened?.reason ?? 'chosen for this branch'}`;
    startPart(draft, 'compensate', { key, entry, queue, purpose });
  }
}

/** Under way, or blocked: then a person decides whether it is tried again. */
const isAsked = (state: RunState, step: string, part: EffectPart): boolean =>
  isUnderWay(state, step, part) || unsettledRetry(state, partOf(step, part)) !== undefined;

/** Whether a step waits until what it did before is undone. */
export const waitsForCompensation = (state: RunState, key: string): boolean =>
  state.path.choices.get(key) === 'compensate' && state.ledger.effects.get(key)?.status === 'confirmed';
