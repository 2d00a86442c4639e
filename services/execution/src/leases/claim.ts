import type { Id } from '@cairn/kernel';
import type { Order, Outcome } from '../driving/driver.js';
import type { Task } from './task.js';
import { handlerName } from './reply.js';

/** What the history says to a claim (`architecture.md` §4.2). `over`: the attempt has ended. `not_now`: its run is paused. */
export type ClaimAnswer =
  | { readonly kind: 'granted' }
  | { readonly kind: 'over' }
  | { readonly kind: 'not_now' }
  | { readonly kind: 'taken'; readonly nonce: string };

/** Whose claim it is: a session for as long as it lives, one poll, or one who asked at `subjects.claim`. */
export const pollNonce = (fresh: string): string => `poll:${fresh}`;
export const isPollNonce = (nonce: string): boolean => nonce.startsWith('poll:');
export const askedNonce = (said: string): string => `claim:${said}`;
/** Nobody beats for it: that its holder is gone is told by its lease alone. */
export const isLeaseNonce = (nonce: string): boolean => isPollNonce(nonce) || nonce.startsWith('claim:');

/** The order that claims `task` for a handler. Equal nonce, equal answer, for as long as the attempt is open. */
export function claimOrder({ runId, attemptId }: Task, source: string, nonce: string): Order {
  const handler = handlerName(source);
  return {
    runId,
    command: { type: 'TakeAttempt', data: { attemptId, handler, nonce } },
    actor: `handler:${handler}`,
    causationId: `${attemptId}:claim`,
  };
}

/** What became of a claim. Only an append, or one that stands from before under the same nonce, is a grant. */
export function claimAnswer(outcome: Outcome, attemptId: Id): ClaimAnswer {
  if (outcome.kind === 'accepted') return { kind: 'granted' };
  if (outcome.kind === 'nothing') {
    if (outcome.because === 'duplicate') return { kind: 'granted' };
    return { kind: outcome.because === 'early' ? 'not_now' : 'over' };
  }
  const nonce = outcome.rejection.code === 'attempt_taken' ? outcome.state.path.attempts.get(attemptId)?.nonce : undefined;
  return nonce === undefined ? { kind: 'over' } : { kind: 'taken', nonce };
}
