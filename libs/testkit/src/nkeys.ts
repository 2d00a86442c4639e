import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';

/** A user's nkey: the seed is secret, the public key stands in the server's configuration. */
export interface Nkey {
  readonly seed: string;
  readonly publicKey: string;
}

const SEED = 18 << 3;
const USER = 20 << 3;
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A fresh one, as `nk -gen user` makes it: prefix, key, CRC-16, all in base 32. */
export function userNkey(): Nkey {
  const key = randomBytes(32);
  const { x = '' } = createPublicKey(createPrivateKey({ key: Buffer.concat([PKCS8, key]), format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  });
  return {
    seed: encoded(Buffer.from([SEED | (USER >> 5), (USER & 31) << 3]), key),
    publicKey: encoded(Buffer.from([USER]), Buffer.from(x, 'base64url')),
  };
}

function encoded(prefix: Buffer, key: Buffer): string {
  const body = Buffer.concat([prefix, key]);
  const sum = crc16(body);
  return base32(Buffer.concat([body, Buffer.from([sum & 0xff, sum >> 8])]));
}

/** CRC-16/XMODEM, as nkeys have it. */
function crc16(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) sum = sum & 0x8000 ? ((sum << 1) ^ 0x1021) & 0xffff : (sum << 1) & 0xffff;
  }
  return sum;
}

function base32(bytes: Buffer): string {
  let text = '';
  let buffered = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffered = ((buffered << 8) | byte) & 0xffff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[(buffered >> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[(buffered << (5 - bits)) & 31];
}
