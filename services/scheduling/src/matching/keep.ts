import { transact } from '@cairn/application';
import { emptyInbox, evolveInbox } from '@cairn/domain-schedule';
import { KEEP_DEFAULT_MS, keepEvent } from '@cairn/domain-schedule/decider';
import { after, inboxHash, inboxStream, instantOf, type Instant } from '@cairn/kernel';
import type { Clock, EventStore } from '@cairn/ports';
import type { DefinitionShelf } from '../definitions/definition-shelf.js';
import type { Mutants } from '../mutants.js';
import type { Inbound } from './inbound.js';

interface Ports {
  readonly store: EventStore;
  readonly clock: Clock;
}

/** A link can be used once, and whoever used it was told that it counts: it is kept as long as a run lives by default. */
const CALLBACK_KEEP_MS = 365 * 86_400_000;

/** Keeps an event for whoever waits later, if any applied definition names its type; signals and links always. Answers until when. */
export async function keep(ports: Ports, shelf: DefinitionShelf, mutants: Mutants, inbound: Inbound): Promise<Instant | undefined> {
  const { ns, receipt, receiptId } = inbound;
  const { target, callback, type, key } = receipt.event;
  const isSignal = target?.kind === 'signal';
  const keepMs = callback !== undefined ? CALLBACK_KEEP_MS : isSignal ? KEEP_DEFAULT_MS : await shelf.keepMsOf(ns, type);
  if (keepMs === undefined || mutants.has('M-10')) return undefined; // M-10: what comes early is lost.
  await transact(ports.store, {
    stream: inboxStream(inboxHash(ns, type, key ?? '')),
    initial: emptyInbox,
    evolve: evolveInbox,
    decide: (state) => keepEvent(state, receipt, keepMs),
    context: { ns, at: instantOf(ports.clock.now()), actor: 'service:scheduling', causationId: receiptId },
  });
  return after(receipt.at, keepMs);
}
