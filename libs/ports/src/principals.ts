import type { Principal } from '@cairn/kernel';

/** Who has a token. Answers from memory, changes nothing, and knows a token that it does not have as `undefined`. */
export interface Principals {
  whoHas(token: string): Principal | undefined;
}
