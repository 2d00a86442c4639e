import type { JsonPatchOp, Plan } from '@cairn/domain-definition';
import type { EffectEntry, RunState } from '../state.js';
import type { BranchDocuments } from './documents.js';
import type { BranchCause, BranchPoint, EffectChoice } from './events.js';

/** What a person asks for who opens a branch (`capabilities.md` §6). */
export interface BranchRequest {
  readonly from: { readonly branch: string; readonly at: string };
  readonly cause: BranchCause;
  readonly reason: string;
  readonly evidence?: readonly string[];
  readonly changes?: readonly JsonPatchOp[];
  readonly received?: { readonly [id: string]: ReceivedChoice };
  readonly effects?: { readonly [key: string]: EffectChoice };
  /** Of each effect that is repeated, why. */
  readonly effectReasons?: { readonly [key: string]: string };
  readonly lesson?: 'told' | 'untold';
  readonly shadow?: boolean;
  readonly expectHead?: string;
}

/** `re_ask`: people are asked again. A verdict is carried only if that is asked for (`capabilities.md` §6). */
export type ReceivedChoice = 'carry' | 'drop' | 're_ask';

export interface PlanProblem {
  readonly pointer: string;
  readonly rule: string;
  readonly says: string;
}

/** What a branch would keep, run again and take along, and what must be chosen before it may be opened. */
export interface BranchPlan {
  /** `main@6`. */
  readonly fork: string;
  readonly checkpoint: string | null;
  readonly head: string;
  /** Settled at the fork: nothing of it runs again. */
  readonly keeps: readonly string[];
  /** Begun on the head and not settled at the fork, and what the changes concern. */
  readonly reruns: readonly string[];
  readonly received: readonly {
    readonly id: string;
    readonly says: string;
    readonly default: ReceivedChoice;
    readonly choice: ReceivedChoice;
  }[];
  readonly effects: readonly {
    readonly key: string;
    readonly step: string;
    readonly status: EffectEntry['status'];
    readonly choices: readonly EffectChoice[];
    readonly choice: EffectChoice | null;
  }[];
  readonly problems: readonly PlanProblem[];
  /** `effects/<key>`: nothing about effects is chosen in silence. */
  readonly unresolved: readonly string[];
}

/** What a plan is made from: the definition, the state at the fork and that of the head. */
export interface PlanFacts {
  readonly plan: Plan;
  readonly fork: BranchPoint;
  readonly parent: RunState;
  readonly head: RunState;
  /** Where `plan` is another version than the run has: what it has. */
  readonly before?: Plan;
  /** Other documents that the request asks for; absent: it asks for none. */
  readonly documents?: BranchDocuments;
}
