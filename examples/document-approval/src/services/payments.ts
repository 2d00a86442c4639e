// The payment server, a process of its own with a ledger that is on the disk before anybody hears of a booking. It honours the
// Idempotency-Key: the same key with the same body is answered with the booking that there is. `--first-answer-after 3000`: its first
// answer comes that late (in milliseconds), so that somebody can die between the booking and the answer.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { listen, portOf, type Answered } from './listen.js';

interface Booking {
  readonly booking: string;
  readonly key: string;
  readonly order: unknown;
}

const args = process.argv.slice(2);
const path = process.env['PAYMENTS_LEDGER'] ?? './payments.jsonl';
const delayed = args.indexOf('--first-answer-after');
let firstDelayMs = delayed < 0 ? 0 : Number(args[delayed + 1]);

const booked = new Map<string, Booking>();
if (existsSync(path)) {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  for (const line of lines.map((text) => JSON.parse(text) as { readonly kind: string } & Booking))
    if (line.kind === 'booking') booked.set(line.key, line);
}
const ledger = openSync(path, 'a');
process.once('exit', () => closeSync(ledger));

/** On the disk when it returns: what is answered has been booked, whatever happens next. */
function write(line: object): void {
  writeSync(ledger, `${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);
  fsyncSync(ledger);
}

listen('payments', portOf(args, 4502), async ({ path: asked, idempotencyKey: key, body }): Promise<Answered> => {
  if (asked !== 'POST /bookings') return { status: 404, body: { error: 'not_found' } };
  if (key === undefined) return { status: 400, body: { error: 'an Idempotency-Key is needed' } };
  write({ kind: 'request', key });
  const known = booked.get(key);
  if (known !== undefined) {
    if (JSON.stringify(known.order) !== JSON.stringify(body))
      return { status: 422, body: { error: 'this key was used for another order' } };
    console.log(`${known.booking} is there already, under key ${key}`);
    return { status: 200, body: { booking: known.booking, replayed: true } };
  }
  const booking: Booking = { booking: `B-${booked.size + 1}`, key, order: body };
  write({ kind: 'booking', ...booking });
  booked.set(key, booking);
  console.log(`booked ${booking.booking} under key ${key}`);
  if (firstDelayMs > 0) {
    const ms = firstDelayMs;
    firstDelayMs = 0;
    await pause(ms);
  }
  return { status: 201, body: { booking: booking.booking, replayed: false } };
});
