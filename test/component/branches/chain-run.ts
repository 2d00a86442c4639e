import { Generations } from '@cairn/application';
import { compileDefinition } from '@cairn/domain-definition';
import type { BranchRequest, RunCommand, RunState } from '@cairn/domain-run';
import {
  epochMsOf,
  idOf,
  instantOf,
  invariant,
  policyStream,
  runStream,
  sealAppend,
  workflowStream,
  type Id,
  type Json,
} from '@cairn/kernel';
import { readBranches, type EventStore } from '@cairn/ports';
import { createMemoryArtifacts, createRecordingMetrics, Pcg32, seededRandomness, type MemoryArtifacts } from '@cairn/simulated';
import { Documents } from '../../../services/execution/src/driving/documents.js';
import { Driver, type Order, type Outcome } from '../../../services/execution/src/driving/driver.js';
import { RunLoader, type LoadedRun } from '../../../services/execution/src/driving/run-loader.js';

export const RUN: Id = idOf('run', 'default', 'line', 'V-1042');

const STEPS = [
  { id: 'read', task: { queue: 'reading' } },
  {
    id: 'screen',
    task: { queue: 'screening' },
    input: { id: '${run.key}' },
    params: { list: '2026-11-01' },
    checkpoint: 'screened',
    fallback: [{ queue: 'screen-b' }],
  },
  {
    id: 'pay',
    effect: { queue: 'payments', key: 'pay:${run.key}', guarantee: 'idempotent' },
    purpose: 'the vendor gets the money',
    input: { risk: '${steps.screen.output.risk}' },
    risk: 'low',
  },
  { id: 'file', task: { queue: 'filing' }, input: { booking: '${steps.pay.output.booking}' }, params: { folder: 'vendors' } },
];

const START = epochMsOf('2026-11-23T09:00:00.000Z');
/** Between two orders: enough to be seen in a diff. */
const STEP_MS = 1_000;

/**
 * One run that comes to five branches, driven by the real driver over a given store on a clock of its own: what is stored is the same
 * wherever it is stored.
 */
export class ChainRun {
  readonly disposables: MemoryArtifacts = createMemoryArtifacts();
  /** Hashes of each branch as they were whenever another one was announced. */
  readonly prefixes: { readonly branch: string; readonly hashes: readonly string[] }[] = [];
  private readonly artifacts = createMemoryArtifacts();
  private readonly driver: Driver;
  private now = START;
  private orders = 0;

  constructor(private readonly store: EventStore) {
    this.driver = new Driver({
      store,
      artifacts: this.artifacts,
      clock: { now: () => this.now } as never,
      randomness: seededRandomness(new Pcg32(3n, 1n)),
      documents: new Documents(store, this.artifacts),
      loader: this.loader(),
      cache: new Generations<Id, LoadedRun>(10),
      onAppended: () => undefined,
    });
  }

  /** One that has read nothing yet. `cold`: without the snapshots that were put away. */
  loader(cold = false): RunLoader {
    const disposables = cold ? createMemoryArtifacts() : this.disposables;
    return new RunLoader(this.store, disposables, new Documents(this.store, this.artifacts), createRecordingMetrics());
  }

  /** A policy's branch, a person's, a shadow, one that is promoted, one of an ended run. */
  async play(): Promise<void> {
    await this.begin();
    await this.succeed('read', 'text');
    await this.fail('screen', { code: '503', message: 'the register is away' });
    await this.decide('screen', { decision: 'fallback', change: { fallback: 0 } });
    await this.succeed('screen', { risk: 1 });
    await this.succeed('pay', { booking: 'B-1' });
    const effects = { 'pay:V-1042': 'reuse' } as const;
    await this.open({
      from: { branch: 'main', at: 'screen' },
      cause: 'correction',
      reason: 'screened against the list of 1 November',
      evidence: ['b2@3'],
      changes: [{ op: 'replace', path: '/steps/screen/params/list', value: '2026-11-22' }],
      effects,
    });
    await this.succeed('screen', { risk: 2 });
    await this.open({
      from: { branch: 'b3', at: 'file' },
      cause: 'what_if',
      shadow: true,
      reason: 'would the archive take it?',
      changes: [{ op: 'replace', path: '/steps/file/params/folder', value: 'archive' }],
    });
    await this.succeed('file', 'archived, as it were', 'b4');
    await this.open({ from: { branch: 'b4', at: 'promote' }, cause: 'correction', reason: 'it did' });
    await this.succeed('file', 'archived');
    await this.open({
      from: { branch: 'b5', at: 'file' },
      cause: 'retry_modified',
      reason: 'the file lacks the number of the invoice',
      changes: [{ op: 'add', path: '/steps/file/guidance', value: 'with the number of the invoice' }],
    });
    await this.succeed('file', 'archived, I-7');
    await this.driver.drained();
  }

  private async begin(): Promise<void> {
    const compiled = compileDefinition({ cairn: 1, name: 'line', version: '1.0.0', steps: STEPS });
    invariant(compiled.ok, 'the definition is good');
    const { definition, hash } = compiled;
    await this.put(workflowStream('default', 'line'), 'DefinitionApplied', {
      ns: 'default',
      name: 'line',
      version: '1.0.0',
      hash,
      definition,
    });
    const policy = { cairn: 1, policy: 'default' };
    await this.put(policyStream('default', 'default'), 'PolicyApplied', {
      ns: 'default',
      name: 'default',
      version: 1,
      hash: 'sha256:0',
      policy,
    });
    const cause = { receiptId: idOf('receipt', 'default', 'spec', 'start'), source: 'spec', id: 'start', type: 'spec.start' };
    const pin = { name: 'line', version: '1.0.0', hash, revision: 0 };
    const data = { ns: 'default', workflow: 'line', runId: RUN, key: 'V-1042', input: {}, definition: pin, policies: [], cause };
    await this.order({ type: 'StartRun', data }, { cause: cause.receiptId });
  }

  private async put(stream: string, type: string, data: object): Promise<void> {
    const at = instantOf(START - STEP_MS);
    const context = { stream, expected: 'no_stream', prevHash: '', ns: 'default', at, actor: 'service:spec', causationId: 'spec' } as const;
    await this.store.append(stream, 'no_stream', sealAppend(context, [{ type, version: 1, data }]));
  }

  private async succeed(step: string, output: Json, shadow?: string): Promise<void> {
    await this.reply(step, { kind: 'succeeded', output }, shadow);
  }

  private async fail(step: string, failure: { readonly code: string; readonly message: string }): Promise<void> {
    await this.reply(step, { kind: 'failed', failure: { by: 'handler', ...failure } });
  }

  private async reply(
    step: string,
    result: Extract<RunCommand, { type: 'RecordReply' }>['data']['result'],
    shadow?: string,
  ): Promise<void> {
    const state = await this.state(shadow);
    const [attemptId] = [...state.path.attempts.entries()].find(([, attempt]) => attempt.step === step) ?? [];
    invariant(attemptId !== undefined, `no attempt of ${step} is open`);
    const replyId = `${attemptId}:end`;
    await this.order({ type: 'RecordReply', data: { attemptId, replyId, result } }, { actor: 'handler:spec/1', cause: replyId, shadow });
  }

  private async decide(
    step: string,
    { decision, change }: { readonly decision: 'fallback'; readonly change: { readonly fallback: number } },
  ): Promise<void> {
    const state = await this.state();
    const [attemptId] = [...state.path.retries.entries()].find(([, retry]) => retry.step === step) ?? [];
    invariant(attemptId !== undefined, `no failure of ${step}`);
    const policy = { name: 'default', version: 1, hash: 'sha256:0', revision: 0 };
    const justification = { rule: 'default@1#upstream_5xx, attempts 4 of 4', newEvidence: [], expectedChange: null };
    const data = { step, attemptId, bucket: 'upstream_5xx', decision, justification, policy, change };
    const failed = (await this.store.read(runStream(RUN, state.branch))).findLast(({ type }) => type === 'StepFailed');
    await this.order(
      { type: 'ApplyRetryDecision', data },
      { actor: 'policy:default@1', ...(failed === undefined ? {} : { cause: failed.eventId }) },
    );
  }

  private async open(request: BranchRequest): Promise<void> {
    for (const [branch, events] of await readBranches(this.store, RUN))
      this.prefixes.push({ branch, hashes: events.map(({ metadata }) => metadata.hash) });
    await this.order({ type: 'OpenBranch', data: request }, { actor: 'user:ana' });
  }

  /** The head, or a shadow, once it has begun. */
  private async state(shadow?: string): Promise<RunState> {
    await this.driver.drained();
    const run = shadow === undefined ? await this.driver.look(RUN) : await this.driver.lookAtShadow(RUN, shadow);
    invariant(run !== undefined, `there is no shadow ${shadow}`);
    return run.state;
  }

  private async order(
    command: RunCommand,
    { actor = 'user:ana', cause, shadow }: { readonly actor?: string; readonly cause?: string; readonly shadow?: string | undefined } = {},
  ): Promise<Outcome> {
    this.now += STEP_MS;
    this.orders += 1;
    const causationId = cause ?? idOf('receipt', 'default', 'spec', `${this.orders}`);
    const order: Order = { runId: RUN, command, actor, causationId, ...(shadow === undefined ? {} : { shadow }) };
    const outcome = await this.driver.submit(order);
    invariant(outcome.kind === 'accepted', `${command.type}: ${JSON.stringify({ ...outcome, state: undefined })}`);
    await this.driver.drained();
    return outcome;
  }
}

/** Every event of the run, as it is stored. */
export const storedBytes = async (store: EventStore): Promise<readonly string[]> =>
  [...(await readBranches(store, RUN)).values()].flat().map((event) => JSON.stringify([event.eventId, event.body, event.metadata.hash]));
