import type { DomainEvent, Json } from '@cairn/kernel';
import type { AttemptId, Occurrence } from '../shared-fields.js';

/** What the definition says may follow an unknown outcome (`capabilities.md` §3.2). */
export type EffectGuarantee = 'none' | 'reconcile' | 'idempotent';

interface OfEffect {
  /** Stable over attempts and branches. Sent to the target: the key, or `key#suffix` from suffix 1 on. */
  readonly key: string;
  readonly suffix: number;
  readonly step: Occurrence;
  readonly attemptId: AttemptId;
}

/** The world outside is about to be changed: stands in the history before the task leaves (C-EFFECT). */
export type EffectIntended = DomainEvent<
  'EffectIntended',
  1,
  OfEffect & {
    /** sha256 hex of canon([[pointer, value], …]) over the step's `fields`, or of [["", input]]: the meaning of the effect. */
    readonly fingerprint: string;
    readonly guarantee: EffectGuarantee;
  }
>;

/** It happened, once: at most one of these per key and suffix over all branches (I-15). */
export type EffectConfirmed = DomainEvent<
  'EffectConfirmed',
  1,
  OfEffect & {
    readonly by: 'reply' | 'reconcile' | 'person';
    /**
     * What the target gave, where it is not the output of the step that succeeds in the same append: by reconcile or by a person. It is the
     * output of the step then, which succeeds by this event where it has failed on this path.
     */
    readonly receipt?: Json;
    /** Of a person: how it is known. */
    readonly because?: string;
  }
>;

/** It certainly did not happen: the key may go out again. */
export type EffectAbsent = DomainEvent<'EffectAbsent', 1, OfEffect & { readonly because: string }>;

/** Nobody knows whether it happened. Never called again unless its target de-duplicates, or somebody finds out. */
export type EffectUnknown = DomainEvent<'EffectUnknown', 1, OfEffect & { readonly because: string }>;

/** It was undone: the key may go out again, under its next suffix. `receipt`: what the target gave for that. */
export type EffectCompensated = DomainEvent<'EffectCompensated', 1, OfEffect & { readonly receipt?: Json }>;

export type EffectEvent = EffectIntended | EffectConfirmed | EffectAbsent | EffectUnknown | EffectCompensated;
