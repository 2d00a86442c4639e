import { applyTopology, createJetStreamBus, type DeadLetter, type JetStreamBus } from '@cairn/bus-jetstream';
import {
  busStreams,
  executionRun,
  retryPolicyOnStepFailed,
  schedulingCommands,
  schedulingIntake,
  schedulingOnRunFacts,
  subjects,
  type Receipt,
} from '@cairn/contracts';
import { evolveReceipt, receiptView, type ReceiptState } from '@cairn/domain-schedule';
import { createMemoryEventStore } from '@cairn/event-store-memory';
import { assembleExecution } from '@cairn/execution';
import { idOf, receiptStream, runStream, type Id, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { assembleScheduling } from '@cairn/scheduling';
import { createMemoryArtifacts, createRecordingMetrics } from '@cairn/simulated';
import { systemClock, systemIds, systemRandomness } from '@cairn/system';
import { waitUntil } from '@cairn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { connect, type Connection } from './nats.js';

/** What a fact of a receipt says, as far as publishers look. */
export type ReceiptTold = JsonObject & { readonly outcome: string };

/** Scheduling and execution as they are, on a real server, and beside them a publisher with a connection and nothing of ours. */
export class IntakeWorld {
  readonly store = createMemoryEventStore();
  /** Each story has a namespace of its own. */
  ns = 'acme0';
  private readonly everything: string[] = [];
  private stories = 0;
  private readonly told = new Map<string, ReceiptTold[]>();
  private readonly letters: DeadLetter[] = [];
  private stopping: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly client: Connection,
    private readonly bus: JetStreamBus,
  ) {}

  static async start(url: string): Promise<IntakeWorld> {
    const client = await connect(url);
    const bound = [schedulingIntake, schedulingCommands, schedulingOnRunFacts, executionRun, retryPolicyOnStepFailed];
    await applyTopology(client, busStreams, bound);
    const bus = createJetStreamBus({ connection: await connect(url), clock: systemClock });
    const world = new IntakeWorld(client, bus);
    world.listen();
    await world.assemble();
    return world;
  }

  async stop(): Promise<void> {
    for (const stop of this.stopping) await stop();
    await this.bus.close();
    await this.client.close();
  }

  /** Nothing of the stories before is seen in this one. */
  nextStory(): void {
    this.ns = `acme${++this.stories}`;
  }

  /** Subjects of everything that was published in this story, by whomever, in order; answers and the server's own left out. */
  get published(): readonly string[] {
    return this.everything.filter((subject) => subject.startsWith(`cairn.${this.ns}.`));
  }

  /** Publishes as `nats pub` does; text and bytes go as they are. */
  publish(subject: string, body: JsonObject | string | Uint8Array, fields?: Readonly<Record<string, string>>): void {
    const data = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    if (fields === undefined) return this.client.publish(subject, data);
    const given = headers();
    for (const [name, value] of Object.entries(fields)) given.set(name, value);
    this.client.publish(subject, data, { headers: given });
  }

  /** The receipt of an event, once it says something. */
  async receipt(source: string, id: string, ns = this.ns): Promise<Receipt> {
    const stream = receiptStream(idOf('receipt', ns, source, id));
    return waitUntil(`${source} ${id} has its receipt`, async () => {
      const events = await this.store.read(stream);
      const state = events.reduce<ReceiptState | undefined>(evolveReceipt, undefined);
      return state === undefined || state.lines.length === 0 ? undefined : (receiptView(state) as Receipt);
    });
  }

  /** What was told of an event's receipt on its subject, when at least so much was. */
  async receiptsTold(source: string, id: string, count = 1): Promise<readonly ReceiptTold[]> {
    const subject = subjects.fact(this.ns, 'receipt', 'ReceiptSettled', idOf('receipt', this.ns, source, id));
    return waitUntil(`${source} ${id} is told on its subject`, () => {
      const told = this.told.get(subject) ?? [];
      return told.length >= count ? told : undefined;
    });
  }

  async deadLetter(subject: string): Promise<DeadLetter> {
    return waitUntil(`${subject} has a dead letter`, () => this.letters.find((letter) => letter.subject === subject));
  }

  async events(runId: Id): Promise<readonly StoredEvent[]> {
    return this.store.read(runStream(runId, 'main'));
  }

  async waiting(runId: Id): Promise<void> {
    await waitUntil('the run waits', async () => (await this.events(runId)).some(({ type }) => type === 'WaitOpened'));
  }

  /** Messages that execution was given and has not settled. */
  async unsettledCommands(): Promise<number> {
    const { durable, busStream } = executionRun;
    return (await (await jetstreamManager(this.client)).consumers.info(busStream, durable)).num_ack_pending;
  }

  async apply(document: JsonObject & { readonly name: string }): Promise<void> {
    const subject = subjects.command(this.ns, 'scheduling', 'ApplyDefinition');
    const answer = await this.bus.ask({ subject, id: systemIds.next(), body: { name: document.name, document } }, 30_000);
    if (answer['kind'] !== 'applied') throw new Error(JSON.stringify(answer));
  }

  private listen(): void {
    this.client.subscribe('>', {
      callback: (_, { subject, data, reply = '' }) => {
        // What a consumer is given bears the subject that it was published on.
        if (subject.startsWith('_INBOX') || subject.startsWith('$JS') || reply.startsWith('$JS.ACK.')) return;
        this.everything.push(subject);
        const text = (): string => new TextDecoder().decode(data);
        if (subject.includes('.evt.receipt.'))
          this.told.set(subject, [...(this.told.get(subject) ?? []), JSON.parse(text()) as ReceiptTold]);
        else if (subject.includes('.dead.')) this.letters.push(JSON.parse(text()) as DeadLetter);
      },
    });
  }

  private async assemble(): Promise<void> {
    const { store, bus } = this;
    const artifacts = createMemoryArtifacts();
    const ports = {
      store,
      bus,
      artifacts,
      disposables: artifacts,
      clock: systemClock,
      ids: systemIds,
      randomness: systemRandomness,
      metrics: createRecordingMetrics(),
    };
    const execution = assembleExecution(ports);
    const scheduling = assembleScheduling(ports);
    await execution.start();
    await scheduling.start();
    this.stopping = [() => scheduling.stop(), () => execution.stop()];
  }
}
