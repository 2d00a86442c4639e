/**
 * What somebody may do here (`reliability.md` §6.2). `handler`: work on tasks, and nothing else. `effect.reconcile`: say what became of
 * effects and have them undone, which no other role brings along.
 */
export const roles = ['viewer', 'operator', 'reviewer', 'admin', 'handler', 'effect.reconcile'] as const;
export type Role = (typeof roles)[number];

/** Who asks, as authentication found out. */
export interface Principal {
  /** `user:ana`, `agent:planner`, `handler:screening`. */
  readonly id: string;
  readonly roles: readonly Role[];
  /** `group:cfo`. */
  readonly groups: readonly string[];
}
