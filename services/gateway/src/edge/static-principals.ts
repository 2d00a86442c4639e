import { createHash } from 'node:crypto';
import { HTTP_ACTOR } from '@cairn/contracts';
import type { Principal } from '@cairn/kernel';
import type { Principals } from '@cairn/ports';

/** A person or a program, with the token that shows who it is. */
export interface TokenHolder {
  readonly token: string;
  readonly principal: Principal;
}

/** The holder of a server's own token: everything that a person may do. */
export const localPrincipal: Principal = {
  id: HTTP_ACTOR,
  roles: ['admin', 'operator', 'reviewer', 'effect.reconcile', 'branch.override'],
  groups: [],
};

/**
 * Tokens as they were configured. They are looked up by their digest: how long that takes says nothing about how much of a token was right.
 */
export class StaticPrincipals implements Principals {
  private readonly byDigest = new Map<string, Principal>();

  constructor(holders: readonly TokenHolder[]) {
    for (const { token, principal } of holders) this.byDigest.set(digestOf(token), principal);
  }

  whoHas(token: string): Principal | undefined {
    return this.byDigest.get(digestOf(token));
  }
}

const digestOf = (token: string): string => createHash('sha256').update(token, 'latin1').digest('hex');
