import type { Principal, Role } from '@cairn/kernel';

/** Sets by hand what a step gives (C-OVERRIDE): nobody may by being an operator. */
export const OVERRIDE: Role = 'branch.override';

/** Who may ask for what (`reliability.md` §6.2), by method and path; the first row that fits. Whoever has a token may read. */
const rights: readonly { readonly method: RegExp; readonly path: RegExp; readonly roles: readonly Role[] | 'all' }[] = [
  { method: /^(GET|HEAD)$/, path: /^/, roles: 'all' },
  // Whether he may decide this one, human-review says: it knows who is asked.
  { method: /^POST$/, path: /^\/v1\/[^/]+\/reviews\//, roles: 'all' },
  // Pure questions.
  { method: /^POST$/, path: /^\/v1\/[^/]+\/runs\/[^/]+\/(branches:plan|waits\/[^/]+:preview)$/, roles: 'all' },
  { method: /^POST$/, path: /^\/v1\/[^/]+\/work[:/]/, roles: ['handler', 'operator', 'admin'] },
  { method: /^PUT$/, path: /^\/v1\/[^/]+\/artifacts(\/|$)/, roles: ['handler', 'operator', 'admin'] },
  { method: /^PUT$/, path: /^\/v1\/[^/]+\/(definitions|policies)\//, roles: ['admin'] },
  // What became of an effect is said, and undone, by who may do that: no operator may by being one (`reliability.md` §6.2).
  { method: /^POST$/, path: /^\/v1\/[^/]+\/runs\/[^/]+\/effects\//, roles: ['effect.reconcile'] },
  // It opens an override branch (C-OVERRIDE); of `branches` the cause says whether it does.
  { method: /^POST$/, path: /^\/v1\/[^/]+\/runs\/[^/]+\/waits\/[^/]+:fire$/, roles: [OVERRIDE] },
  { method: /^/, path: /^/, roles: ['operator', 'admin'] },
];

/** The roles of which one is needed; `undefined` if this principal may. */
export function missingRole({ roles }: Principal, method: string, path: string): readonly Role[] | undefined {
  const right = rights.find((row) => row.method.test(method) && row.path.test(path));
  if (right === undefined || right.roles === 'all') return undefined;
  return right.roles.some((role) => roles.includes(role)) ? undefined : right.roles;
}
