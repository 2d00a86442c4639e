import type { Id } from '@cairn/kernel';
import type { Clock, Timer } from '@cairn/ports';
import type { Owed, ReplicaFrames } from './replica-frames.js';
import { RESEND_MS, type Reply } from './reply.js';

/** How often replies that nobody settled are looked at. */
const SWEEP_MS = 250;

export interface OwedRepliesParts {
  readonly clock: Clock;
  /** Who carries a reply: the given replica while it is heard, else another, nobody while none is. */
  readonly carrierFor: (giver?: Id) => ReplicaFrames | undefined;
  /** Publishes it on its durable subject. Resolves when the bus has it. */
  readonly forward?: ((reply: Reply) => Promise<void>) | undefined;
  readonly forwarded: (id: string) => void;
  /** Something is ready to be sent. */
  readonly ready: () => void;
}

/** Replies from the moment they are ready until somebody has them for good. */
export class OwedReplies {
  private readonly owed = new Map<string, Owed>();
  private sweeping: Timer | undefined;

  constructor(private readonly parts: OwedRepliesParts) {}

  get size(): number {
    return this.owed.size;
  }

  has(id: string): boolean {
    return this.owed.has(id);
  }

  *attempts(): Iterable<Id> {
    for (const { reply } of this.owed.values()) yield reply.attemptId;
  }

  /** One that is owed already stays as it is. */
  add(reply: Reply, giver?: Id): void {
    if (this.owed.has(reply.id)) return;
    const now = this.parts.clock.monotonicMs();
    const owed: Owed = { reply, carrier: undefined, since: now, sentAt: now, isReady: false, isForwarding: false };
    this.owed.set(reply.id, owed);
    this.parts.carrierFor(giver)?.carry(owed);
    this.sweeping ??= this.parts.clock.after(SWEEP_MS, () => this.sweep());
    this.parts.ready();
  }

  /** Somebody has it for good, or nobody ever will. Answers the reply, `undefined` if it was not owed. */
  settle(id: string): Reply | undefined {
    const owed = this.owed.get(id);
    if (owed === undefined) return undefined;
    owed.isReady = false; // A carrier that has it again passes over it.
    this.owed.delete(id);
    return owed.reply;
  }

  /** What nobody carries, or only this carrier did, goes to another. */
  moveFrom(carrier: ReplicaFrames | undefined): void {
    for (const owed of this.owed.values()) {
      if (owed.carrier !== carrier) continue;
      owed.carrier = undefined;
      this.parts.carrierFor()?.carry(owed);
    }
  }

  /** Their frame was lost: nobody knows what arrived, so all of them go again, but for what another carries by now. */
  sendAgain(carrier: ReplicaFrames, sent: readonly Owed[]): void {
    for (const owed of sent) if (this.owed.get(owed.reply.id) === owed && owed.carrier === carrier && !owed.isReady) carrier.carry(owed);
  }

  /** Answers those that nobody has settled. */
  stop(): readonly Reply[] {
    this.sweeping?.cancel();
    return [...this.owed.values()].map(({ reply }) => reply);
  }

  /** What was owed for a second goes to its durable subject as well, and to a replica once more. */
  private sweep(): void {
    this.sweeping = undefined;
    if (this.owed.size === 0) return;
    const now = this.parts.clock.monotonicMs();
    for (const owed of this.owed.values()) {
      if (now - owed.since < RESEND_MS) break; // In the order of becoming ready.
      this.forward(owed);
      if (!owed.isReady && now - owed.sentAt >= RESEND_MS) (owed.carrier ?? this.parts.carrierFor())?.carry(owed);
    }
    this.parts.ready();
    this.sweeping = this.parts.clock.after(SWEEP_MS, () => this.sweep());
  }

  private forward(owed: Owed): void {
    const { forward } = this.parts;
    if (owed.isForwarding || forward === undefined) return;
    owed.isForwarding = true;
    forward(owed.reply).then(
      () => {
        if (this.owed.get(owed.reply.id) === owed) this.parts.forwarded(owed.reply.id);
      },
      () => (owed.isForwarding = false), // The bus is away: at the next sweep.
    );
  }
}
