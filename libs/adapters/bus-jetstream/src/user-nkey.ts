import { nkeys } from '@nats-io/nats-core';

/** A fresh nkey of a user: the seed is secret, the public key stands in the server's configuration. */
export function createUserNkey(): { readonly seed: string; readonly publicKey: string } {
  const pair = nkeys.createUser();
  const made = { seed: new TextDecoder().decode(pair.getSeed()), publicKey: pair.getPublicKey() };
  pair.clear();
  return made;
}
