import {
  foreignJson,
  OUTPUT_ARTIFACT_BYTES_MAX,
  outputArtifactOf,
  ReplyRefused,
  type CloudEvent,
  type OutputArtifact,
  type ReplyData,
} from '@cairn/contracts';
import type { RunCommand } from '@cairn/domain-run';
import { runStream, type Id, type Json } from '@cairn/kernel';
import { ArtifactFault, FIRST_BRANCH, type Artifacts, type CallbackTokens, type EventStore } from '@cairn/ports';
import { type Driver, outOfLine, type Order, type Outcome } from '../driving/driver.js';
import { claimAnswer, claimOrder, type ClaimAnswer } from './claim.js';
import type { ReplyOutcome } from './desk.js';
import { actorOf, replyCommand } from './reply.js';
import type { Task } from './task.js';
import { withholdTokens } from './withhold-tokens.js';

export interface RecordingParts {
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly driver: Driver;
  readonly mutants: ReadonlySet<string>;
  /** Of the links that handlers are given and may give back. */
  readonly callbackTokens?: CallbackTokens;
}

/** What becomes of an attempt, as orders to its run's driver. Each resolves after its append. */
export class Recording {
  constructor(private readonly parts: RecordingParts) {}

  /** A handler's terminal reply. Throws `ReplyRefused` if it can never be taken, faults if it is to be sent again. */
  async reply(ns: string, runId: Id, reply: CloudEvent<ReplyData>, shared: boolean): Promise<ReplyOutcome> {
    const { artifacts, driver, mutants, callbackTokens } = this.parts;
    const named = outputArtifactOf(reply.data?.output);
    const said = named === undefined ? reply : withOutput(reply, await this.outputOf(named));
    const whole = callbackTokens === undefined ? said : withholdTokens(said, callbackTokens);
    const output = whole.data?.output;
    const outputRef = output === undefined || isSmall(output) ? undefined : await outOfLine(artifacts, output);
    let command: RunCommand = replyCommand(whole, outputRef, shared);
    if (mutants.has('M-3')) command = await this.ofAnyAttempt(runId, command);
    const order: Order = { runId, command, actor: actorOf(reply.source), causationId: reply.id, ns };
    const shadow = await this.shadowOf(runId, reply.data?.lease.branch);
    const taken = shadow === undefined ? undefined : await driver.submit({ ...order, shadow });
    // What no shadow knows is the head's to judge (`architecture.md` §4.1).
    const outcome = taken === undefined || isUnknown(taken) ? await driver.submit(order) : taken;
    return isCounted(outcome) ? 'accepted' : 'late';
  }

  /** The shadow that a lease names. */
  private async shadowOf(runId: Id, branch: string | undefined): Promise<string | undefined> {
    if (branch === undefined || branch === FIRST_BRANCH) return undefined;
    const { state } = await this.parts.driver.look(runId);
    return state.ledger.branches.get(branch)?.shadow === true ? branch : undefined;
  }

  /** The attempt was lost. */
  async lapse({ runId, attemptId, shadow, startedBranch, startedRevision }: Task, by: 'lease' | 'timeout', message: string): Promise<void> {
    const command: RunCommand = { type: 'RecordLapse', data: { attemptId, by, message } };
    const stream = runStream(runId, startedBranch);
    const [started] = await this.parts.store.read(stream, startedRevision, startedRevision);
    if (started === undefined) return; // The store has forgotten the attempt: there is nothing to record it in.
    const order: Order = { runId, command, actor: 'service:execution', causationId: started.eventId };
    await this.parts.driver.submit(shadow === undefined ? order : { ...order, shadow });
  }

  async claim(task: Task, source: string, nonce: string): Promise<ClaimAnswer> {
    return claimAnswer(await this.parts.driver.submit(claimOrder(task, source, nonce)), task.attemptId);
  }

  /** The output that an artifact holds: there, of its size and digest, and JSON, or the reply is worth nothing. */
  private async outputOf({ artifact, bytes: said, mediaType }: OutputArtifact): Promise<Json> {
    if (mediaType !== 'application/json')
      refuse('/mediaType', 'invalid_media_type', 'must be application/json; other media are named inside an output');
    if (said > OUTPUT_ARTIFACT_BYTES_MAX) refuse('/bytes', 'too_large', `at most ${OUTPUT_ARTIFACT_BYTES_MAX} bytes`);
    const bytes = await this.read(artifact.slice('sha256:'.length));
    if (bytes === undefined) return refuse('/artifact', 'artifact_not_found', 'there is no such artifact; it is put before it is named');
    if (bytes.length !== said) return refuse('/bytes', 'size_mismatch', `the artifact has ${bytes.length} bytes`);
    const value = parsed(bytes);
    if (value === undefined) return refuse('/artifact', 'invalid_json', 'the artifact is not JSON in UTF-8');
    const wrong = foreignJson(value);
    return wrong === undefined ? value : refuse('/artifact', 'invalid_json', wrong);
  }

  private async read(sha256: string): Promise<Uint8Array | undefined> {
    try {
      return await this.parts.artifacts.get(sha256);
    } catch (fault) {
      if (fault instanceof ArtifactFault && fault.code === 'artifact_corrupt')
        refuse('/artifact', 'artifact_corrupt', 'what is stored does not have that digest');
      throw fault;
    }
  }

  /** Planted bug: a reply of an attempt that is over counts for the one that is open. */
  private async ofAnyAttempt(runId: Id, command: RunCommand): Promise<RunCommand> {
    if (command.type !== 'RecordReply') return command;
    const { state } = await this.parts.driver.look(runId);
    const closed = state.path.closed.get(command.data.attemptId);
    const opened =
      closed === undefined ? undefined : [...state.path.attempts.entries()].find(([, attempt]) => attempt.step === closed.step);
    return opened === undefined ? command : { ...command, data: { ...command.data, attemptId: opened[0] } };
  }
}

/** Whether an output is so small that nobody needs to measure it. */
function isSmall(output: unknown): boolean {
  if (typeof output === 'string') return output.length < 1_000;
  if (typeof output !== 'object' || output === null) return true;
  const values = Object.values(output);
  return (
    values.length < 16 &&
    values.every((value) => (typeof value === 'string' ? value.length < 64 : typeof value !== 'object' || value === null))
  );
}

const isUnknown = (outcome: Outcome): boolean => outcome.kind === 'rejected' && outcome.rejection.code === 'attempt_not_found';

/** An accepted reply that comes again is answered as it was the first time. */
function isCounted(outcome: Outcome): boolean {
  if (outcome.kind === 'nothing') return outcome.because === 'duplicate';
  return outcome.kind === 'accepted' && outcome.events[0]?.type !== 'LateResultRecorded';
}

const withOutput = (reply: CloudEvent<ReplyData>, output: Json): CloudEvent<ReplyData> => ({
  ...reply,
  data: { ...(reply.data as ReplyData), output },
});

function parsed(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  } catch {
    return undefined;
  }
}

function refuse(pointer: string, rule: string, says: string): never {
  throw new ReplyRefused([{ pointer: `/data/output${pointer}`, rule, says }]);
}
