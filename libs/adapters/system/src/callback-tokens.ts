import { createHmac, timingSafeEqual } from 'node:crypto';
import { canon, isBranch, isId, isName, isNamespace } from '@cairn/kernel';
import type { CallbackClaim, CallbackTokens } from '@cairn/ports';

/** A key for links, under the name that stands in each of its tokens. */
export interface CallbackKey {
  readonly kid: string;
  readonly secret: Uint8Array;
}

/** Keys at once: the one that signs, and those whose links are still out. */
export const CALLBACK_KEYS_MAX = 2;
/** Of an HMAC with SHA-256 (B-50). */
export const CALLBACK_KEY_BYTES_MIN = 32;
/** Far above any token: what is longer is not looked at. */
const TOKEN_CHARS_MAX = 1_024;
const VERSION = 'v1';
/** What is signed begins with it, so that a key that somebody uses elsewhere, too, signs nothing that passes here. */
const PURPOSE = 'cairn-callback';

/**
 * Tokens `v1.<kid>.<payload>.<mac>`: HMAC-SHA-256 over everything before the last dot, so that neither key nor version can be swapped. The
 * first key signs, every key is known.
 */
export function hmacCallbackTokens(keys: readonly [CallbackKey, ...CallbackKey[]]): CallbackTokens {
  const [signing] = keys;
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  return {
    issue: (claim) => {
      const signed = `${VERSION}.${signing.kid}.${Buffer.from(canon({ ...claim })).toString('base64url')}`;
      return `${signed}.${macOf(signing, signed).toString('base64url')}`;
    },
    read: (token) => {
      if (token.length > TOKEN_CHARS_MAX) return undefined;
      const [version, kid = '', payload = '', mac = '', ...rest] = token.split('.');
      const key = byKid.get(kid);
      if (version !== VERSION || key === undefined || rest.length > 0) return undefined;
      const right = macOf(key, `${version}.${kid}.${payload}`).toString('base64url');
      // Compared as text: other letters that decode to the same bytes are another token.
      if (mac.length !== right.length || !timingSafeEqual(Buffer.from(mac), Buffer.from(right))) return undefined;
      return claimOf(payload);
    },
  };
}

const macOf = ({ secret }: CallbackKey, signed: string): Buffer => createHmac('sha256', secret).update(`${PURPOSE}\n${signed}`).digest();

function claimOf(payload: string): CallbackClaim | undefined {
  try {
    const { ns, run, wait, name, branch, revision } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as CallbackClaim;
    const holds = isNamespace(ns) && isId(run) && isName(wait) && isName(name) && isBranch(branch) && Number.isSafeInteger(revision);
    return holds ? { ns, run, wait, name, branch, revision } : undefined;
  } catch {
    return undefined; // Signed by us and no claim: of a later release.
  }
}
