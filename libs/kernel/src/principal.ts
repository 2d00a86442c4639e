/**
 * What somebody may do here (`reliability.md` §6.2). `handler`: work on tasks, and nothing else. Two are granted apart, and no other role
 * brings them along: `effect.reconcile` says what became of effects and has them undone, `branch.override` sets outputs of steps by hand.
 */
export const roles = ['viewer', 'operator', 'reviewer', 'admin', 'handler', 'effect.reconcile', 'branch.override'] as const;
export type Role = (typeof roles)[number];

/** Who asks, as authentication found out. */
export interface Principal {
  /** `user:ana`, `agent:planner`, `handler:screening`. */
  readonly id: string;
  readonly roles: readonly Role[];
  /** `group:cfo`. */
  readonly groups: readonly string[];
}
