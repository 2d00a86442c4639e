import { invariant, isId, type Id } from '@cairn/kernel';

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
const BITS = new Map([...CROCKFORD].map((character, value) => [character, BigInt(value)]));
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The UUID whose 128 bits an id encodes: EventStoreDB knows events by UUIDs. */
export function uuidOfId(id: Id): string {
  invariant(isId(id), `not an id: ${id}`);
  let value = 0n;
  for (const character of id) value = (value << 5n) | (BITS.get(character) ?? 0n);
  return uuidOfHex(value.toString(16).padStart(32, '0'));
}

/** The id of a UUID, or `undefined` for what is none. */
export function idOfUuid(uuid: string): Id | undefined {
  if (!UUID.test(uuid)) return undefined;
  let value = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let id = '';
  for (let i = 0; i < 26; i++, value >>= 5n) id = `${CROCKFORD[Number(value & 31n)]}${id}`;
  return id;
}

/** 32 hex characters in the form of a UUID. */
export function uuidOfHex(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
