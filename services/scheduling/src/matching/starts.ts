import type { CommandAnswer, RejectionBody } from '@cairn/contracts';
import { eventScope, type Duplicates } from '@cairn/domain-definition';
import type { OpenBranch, RunCause, StartRun } from '@cairn/domain-run';
import type { Problem, ReceiptLine } from '@cairn/domain-schedule';
import { refused } from '@cairn/domain-schedule/decider';
import { idOf, isKey, KEY_MAX, type Id, type Json, type JsonObject } from '@cairn/kernel';
import { BusFault, FIRST_BRANCH } from '@cairn/ports';
import type { ShelvedStart, ShelvedWorkflow } from '../definitions/definition-shelf.js';
import type { ExecutionDesk } from '../execution-desk.js';
import { hopsOf } from '../intake/check-attributes.js';
import { problemOf } from '../intake/parse-event.js';
import { actorOf, inboundEventOf, type Inbound } from './inbound.js';

/** A run that an event asks for. */
export interface WantedRun {
  readonly workflow: ShelvedWorkflow;
  readonly key?: string;
  readonly input: Json;
  readonly attributes?: JsonObject;
  readonly duplicates: Duplicates;
}

/** What a start trigger makes of an event: a run, a problem that its receipt tells, or `undefined`: it does not want the event. */
export function wantedBy({ workflow, trigger }: ShelvedStart, inbound: Inbound): WantedRun | Problem | undefined {
  const scope = { event: eventScope(inboundEventOf(inbound)) };
  const where = trigger.where?.evaluate(scope);
  if (where !== undefined && !(where.ok && where.value)) return undefined; // An error in `where` is "no match".
  const key = trigger.key?.evaluate(scope);
  if (key !== undefined && !(key.ok && isKey(key.value))) {
    const got = key.ok ? `gives ${JSON.stringify(key.value).slice(0, 80)}` : key.error;
    return problemOf('start_key_invalid', {
      pointer: '/data',
      rule: 'key',
      says: `the key of a run of ${workflow.pinned.name} is text of 1 to ${KEY_MAX} characters; its expression ${got}`,
    });
  }
  const input = trigger.input.evaluate(scope);
  if (!input.ok)
    return problemOf('start_input_invalid', {
      pointer: '/data',
      rule: 'input',
      says: `the input of ${workflow.pinned.name}: ${input.error}`,
    });
  return { workflow, ...(key === undefined ? {} : { key: key.value as string }), input: input.value, duplicates: trigger.duplicates };
}

/**
 * Starts a run, or finds that its key has one. One key starts one run, for ever (I-29): the run's id comes from the key, without a
 * key from the event. A redelivered start is the same run.
 */
export async function startRun(desk: ExecutionDesk, inbound: Inbound, wanted: WantedRun): Promise<ReceiptLine> {
  const runId = runIdOf(inbound, wanted);
  const { pinned } = wanted.workflow;
  const keyAsAttribute = wanted.duplicates === 'new_run' && wanted.key !== undefined;
  const attributes = { ...wanted.attributes, ...(keyAsAttribute ? { key: wanted.key } : {}) } as JsonObject;
  const { source, id, type, extensions } = inbound.receipt.event;
  const hops = hopsOf(extensions);
  const cause: RunCause = { receiptId: inbound.receiptId, source, id, type, ...(hops === 0 ? {} : { hops }) };
  const command: StartRun = {
    type: 'StartRun',
    data: {
      ns: inbound.ns,
      workflow: pinned.name,
      runId,
      ...(wanted.key === undefined || keyAsAttribute ? {} : { key: wanted.key }),
      input: wanted.input,
      ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
      definition: pinned,
      policies: [], // Execution resolves and pins them.
      cause,
    },
  };
  const answer = await desk.ask(inbound.ns, runId, command, inbound.receiptId);
  const isOthers = answer.kind === 'nothing' && answer.startedBy !== inbound.receiptId;
  if (isOthers && wanted.duplicates === 'branch') return correctRun(desk, inbound, runId, wanted.input);
  return lineOfStart(answer, inbound.receiptId, wanted.duplicates);
}

/**
 * The key has a run: where it has another input, it begins anew with this one, on a `correction` branch from its beginning. What that would
 * leave behind and somebody has to choose for, a confirmed effect, refuses the event with the plan; the same input again is `attached`.
 */
async function correctRun(desk: ExecutionDesk, inbound: Inbound, runId: Id, input: Json): Promise<ReceiptLine> {
  const { event } = inbound.receipt;
  const command: OpenBranch = {
    type: 'OpenBranch',
    data: {
      from: { branch: FIRST_BRANCH, at: '0' },
      cause: 'correction',
      reason: `${event.type} ${event.id} from ${event.source} came with another input for the same key`,
      changes: [{ op: 'replace', path: '/input', value: input }],
      onlyOtherInput: true,
    },
  };
  const answer = await desk.ask(inbound.ns, runId, command, inbound.receiptId, actorOf(event));
  if (answer.kind === 'nothing' && answer.because === 'unchanged') return { outcome: 'attached', runs: [{ run: runId }], nearMisses: [] };
  return branchedLine(answer);
}

/** What the opening of a branch came to. Throws a fault where the run could not be asked: it is asked again. */
export function branchedLine(answer: CommandAnswer): ReceiptLine {
  const { runId } = answer;
  switch (answer.kind) {
    case 'accepted':
      return { outcome: 'branched', runs: [{ run: runId, branch: answer.branch }], nearMisses: [] };
    case 'nothing':
      // It was done before, for this very event; else the run is on its way to another branch, and is asked again.
      if (answer.because !== 'duplicate') throw new BusFault('bus_unavailable', `run ${runId} could not be asked: ${answer.because}`);
      return { outcome: 'branched', runs: [{ run: runId }], nearMisses: [] };
    case 'rejected':
      return { ...refused(problemFrom(answer.rejection)), runs: [{ run: runId }] };
  }
}

/** The run that an event with this wish is about: of its key, else of the event. */
export function runIdOf({ ns, receipt: { event } }: Inbound, { workflow, key, duplicates }: WantedRun): Id {
  const { name } = workflow.pinned;
  return key === undefined || duplicates === 'new_run' ? idOf('run-event', ns, name, event.source, event.id) : idOf('run', ns, name, key);
}

/** A run whose `RunStarted` names this very event is `started`, whatever its input or definition would be now. */
function lineOfStart(answer: CommandAnswer, receiptId: Id, duplicates: Duplicates): ReceiptLine {
  switch (answer.kind) {
    case 'accepted':
      return { outcome: 'started', runs: [{ run: answer.runId, branch: answer.branch }], nearMisses: [] };
    case 'rejected':
      return refused(problemFrom(answer.rejection));
    case 'nothing':
      if (answer.startedBy === receiptId) return { outcome: 'started', runs: [{ run: answer.runId, branch: 'main' }], nearMisses: [] };
      if (duplicates === 'reject')
        return {
          ...refused({ code: 'run_exists', detail: 'the key has a run, and its workflow refuses a second start' }),
          runs: [{ run: answer.runId }],
        };
      return { outcome: 'attached', runs: [{ run: answer.runId }], nearMisses: [] };
  }
}

/** A domain's "no" as a receipt tells it. */
export function problemFrom({ code, detail, errors, plan }: RejectionBody): Problem {
  return { code, detail, ...(errors === undefined ? {} : { errors }), ...(plan === undefined ? {} : { plan: plan as JsonObject }) };
}
