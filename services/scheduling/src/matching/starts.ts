import type { CommandAnswer, RejectionBody } from '@cairn/contracts';
import { eventScope, type Duplicates } from '@cairn/domain-definition';
import type { RunCause, StartRun } from '@cairn/domain-run';
import type { Problem, ReceiptLine } from '@cairn/domain-schedule';
import { refused } from '@cairn/domain-schedule/decider';
import { idOf, isKey, KEY_MAX, type Id, type Json, type JsonObject } from '@cairn/kernel';
import type { ShelvedStart, ShelvedWorkflow } from '../definitions/definition-shelf.js';
import type { ExecutionDesk } from '../execution-desk.js';
import { hopsOf } from '../intake/check-attributes.js';
import { problemOf } from '../intake/parse-event.js';
import { inboundEventOf, type Inbound } from './inbound.js';

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
  return lineOfStart(await desk.ask(inbound.ns, runId, command, inbound.receiptId), inbound.receiptId, wanted.duplicates);
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
