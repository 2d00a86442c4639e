import { executionRun, type CommandAnswer, type CommandMessage } from '@cairn/contracts';
import { planOf, type Definition } from '@cairn/domain-definition';
import { foldRun, initialState, type RecordedRunEvent, type RunCommand, type RunState, type StartRun } from '@cairn/domain-run';
import { decideRun } from '@cairn/domain-run/decider';
import { instantOf, runStream, sealAppend, workflowStream, type Id, type JsonObject } from '@cairn/kernel';
import { done, type Bound, type Bus, type Clock, type EventStore, type Settlement } from '@cairn/ports';

/** A peer that stands where execution stands: it answers commands by deciding runs and appending to their streams, one at a time. */
export class RunPeer {
  readonly commands: CommandMessage[] = [];
  /** What is asked is done and not answered: as when the answer is lost. */
  mute = false;
  private bound: Bound | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private entropy = 0;

  constructor(private readonly ports: { readonly store: EventStore; readonly bus: Bus; readonly clock: Clock }) {}

  async start(): Promise<void> {
    this.bound = await this.ports.bus.consume(executionRun, ({ body }) => {
      const handled = this.turn.then(() => this.handle(body as unknown as CommandMessage));
      this.turn = handled.catch(() => undefined);
      return handled;
    });
  }

  async stop(): Promise<void> {
    await this.bound?.stop();
  }

  async stateOf(runId: Id): Promise<RunState> {
    const events = await this.ports.store.read(runStream(runId, 'main'));
    return foldRun(initialState(runId), events as unknown as readonly RecordedRunEvent[]);
  }

  private async handle(message: CommandMessage): Promise<Settlement> {
    this.commands.push(message);
    const answer = (await this.decide(message)) as unknown as JsonObject;
    return this.mute ? done : { kind: 'done', answer };
  }

  private async decide({ ns, runId, type, data, actor, causationId }: CommandMessage): Promise<CommandAnswer> {
    const { store, clock } = this.ports;
    const stream = runStream(runId, 'main');
    const events = await store.read(stream);
    const state = foldRun(initialState(runId), events as unknown as readonly RecordedRunEvent[]);
    const command = { type, data } as unknown as RunCommand;
    const pinned = state.started?.definition ?? (command as StartRun).data.definition;
    if (pinned === undefined) return { kind: 'rejected', runId, rejection: { code: 'run_not_found', detail: 'there is no such run' } };
    const [applied] = await store.read(workflowStream(ns, pinned.name), pinned.revision, pinned.revision);
    const plan = planOf(applied?.data['definition'] as unknown as Definition);
    const now = clock.now();
    const { decision } = decideRun(plan, state, command, { now, entropy: `entropy-${++this.entropy}`, causationId });
    if (decision.kind === 'rejected') return { kind: 'rejected', runId, rejection: decision.rejection };
    if (decision.kind === 'nothing') {
      const startedBy = state.started?.cause.receiptId;
      return { kind: 'nothing', runId, because: decision.because, ...(startedBy === undefined ? {} : { startedBy }) };
    }
    const last = events.at(-1);
    const expected = last === undefined ? 'no_stream' : last.revision;
    const context = {
      stream,
      expected,
      prevHash: last?.metadata.hash ?? '',
      ns,
      runId,
      branch: 'main',
      at: instantOf(now),
      actor,
      causationId,
    } as const;
    const result = await store.append(stream, expected, sealAppend(context, decision.events));
    if (result.kind === 'conflict') throw new Error('the peer is the only writer of runs');
    return { kind: 'accepted', runId, branch: 'main', revision: result.revision };
  }
}
