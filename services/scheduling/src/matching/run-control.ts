import {
  checkBody,
  effectControlSchemas,
  isEffectControl,
  OPEN_BRANCH,
  openBranchSchema,
  RESCHEDULE_WAIT,
  rescheduleWaitEventSchema,
  runControlSchema,
  type CommandAnswer,
  type EffectControl,
  type RunControl,
} from '@cairn/contracts';
import {
  duesOf,
  type CancelRun,
  type CompensateEffect,
  type OpenBranch,
  type PauseRun,
  type ReconcileEffect,
  type RescheduleWait,
  type UnpauseRun,
} from '@cairn/domain-run';
import type { EventControl, ReceiptLine } from '@cairn/domain-schedule';
import { refused } from '@cairn/domain-schedule/decider';
import { epochMsOf, runStream, type Id } from '@cairn/kernel';
import { BusFault, FIRST_BRANCH, type EventStore } from '@cairn/ports';
import type { ExecutionDesk } from '../execution-desk.js';
import { problemOf } from '../intake/parse-event.js';
import { absentRun } from './absent-run.js';
import { actorOf, type Inbound } from './inbound.js';
import { branchedLine, problemFrom } from './starts.js';

interface Ports {
  readonly store: EventStore;
  readonly desk: ExecutionDesk;
}

/**
 * Cancels, pauses or unpauses a run for an event that asks so, and says what came of it. May be asked again for the same receipt: the run
 * knows what each has done already, so that a pause which was undone meanwhile does not come back. Throws faults.
 */
export async function controlRun({ store, desk }: Ports, inbound: Inbound, { runId, verb }: EventControl): Promise<ReceiptLine> {
  const { ns, receiptId, receipt, data } = inbound;
  if (verb === OPEN_BRANCH) return openBranch({ store, desk }, inbound, runId);
  if (isEffectControl(verb)) return controlEffect({ store, desk }, inbound, { runId, verb });
  if (verb === RESCHEDULE_WAIT) return rescheduleWait({ store, desk }, inbound, runId);
  const asked = checkBody(runControlSchema, data ?? {});
  if (asked.kind === 'bad')
    return refused(problemOf('control_invalid', ...asked.errors.map((error) => ({ ...error, pointer: `/data${error.pointer}` }))));

  const [first] = await store.read(runStream(runId, 'main'), 0, 0);
  if (first?.metadata.ns !== ns) return absentRun(store, ns, runId);
  const line: ReceiptLine = { outcome: 'attached', runs: [{ run: runId }], nearMisses: [] };

  const { reason } = asked.value;
  const command = commandOf(verb, reason === undefined ? {} : { reason });
  const actor = actorOf(receipt.event);
  return lineOf(await desk.ask(ns, runId, command, receiptId, actor), line);
}

/** Opens a branch: `branched`, or refused with the plan that says what is to be chosen. */
async function openBranch({ store, desk }: Ports, inbound: Inbound, runId: Id): Promise<ReceiptLine> {
  const { ns, receiptId, receipt, data } = inbound;
  const asked = checkBody(openBranchSchema, data ?? {});
  if (asked.kind === 'bad')
    return refused(problemOf('branch_invalid', ...asked.errors.map((error) => ({ ...error, pointer: `/data${error.pointer}` }))));
  const [first] = await store.read(runStream(runId, FIRST_BRANCH), 0, 0);
  if (first?.metadata.ns !== ns) return absentRun(store, ns, runId);
  const { from } = asked.value;
  const command: OpenBranch = { type: 'OpenBranch', data: { ...asked.value, from: { ...from, at: String(from.at) } } };
  const answer = await desk.ask(ns, runId, command, receiptId, actorOf(receipt.event));
  return branchedLine(answer);
}

/** Has an effect found out about, or undone: `attached`, also where that is under way already. */
async function controlEffect(
  { store, desk }: Ports,
  inbound: Inbound,
  { runId, verb }: { readonly runId: Id; readonly verb: EffectControl },
): Promise<ReceiptLine> {
  const { ns, receiptId, receipt, data } = inbound;
  const asked = checkBody<ReconcileEffect['data'] | CompensateEffect['data']>(effectControlSchemas[verb], data ?? {});
  if (asked.kind === 'bad')
    return refused(problemOf('effect_invalid', ...asked.errors.map((error) => ({ ...error, pointer: `/data${error.pointer}` }))));
  const [first] = await store.read(runStream(runId, FIRST_BRANCH), 0, 0);
  if (first?.metadata.ns !== ns) return absentRun(store, ns, runId);
  const type = verb === 'effect.reconcile' ? 'ReconcileEffect' : 'CompensateEffect';
  const command = { type, data: asked.value } as ReconcileEffect | CompensateEffect;
  const answer = await desk.ask(ns, runId, command, receiptId, actorOf(receipt.event));
  if (answer.kind === 'rejected') return { ...refused(problemFrom(answer.rejection)), runs: [{ run: runId }] };
  // On its way to another branch: it is asked again there.
  if (answer.kind === 'nothing' && answer.because !== 'duplicate')
    throw new BusFault('bus_unavailable', `run ${runId} could not be asked: ${answer.because}`);
  return { outcome: 'attached', runs: [{ run: runId }], nearMisses: [] };
}

/** Moves a wait's deadline, or when it is stale. */
async function rescheduleWait({ store, desk }: Ports, inbound: Inbound, runId: Id): Promise<ReceiptLine> {
  const { ns, receiptId, receipt, data } = inbound;
  const asked = checkBody(rescheduleWaitEventSchema, data ?? {});
  const dues = asked.kind === 'bad' ? { ok: false as const, errors: asked.errors } : duesOf(asked.value, epochMsOf(receipt.at));
  if (asked.kind === 'bad' || !dues.ok) {
    const errors = dues.ok ? [] : dues.errors;
    return refused(problemOf('reschedule_invalid', ...errors.map((error) => ({ ...error, pointer: `/data${error.pointer}` }))));
  }
  const [first] = await store.read(runStream(runId, FIRST_BRANCH), 0, 0);
  if (first?.metadata.ns !== ns) return absentRun(store, ns, runId);
  const { wait, reason } = asked.value;
  const { ok: _, ...times } = dues;
  const command: RescheduleWait = { type: 'RescheduleWait', data: { waitId: wait, reason, ...times } };
  const done: ReceiptLine = { outcome: 'attached', runs: [{ run: runId, wait }], nearMisses: [] };
  return lineOf(await desk.ask(ns, runId, command, receiptId, actorOf(receipt.event)), done);
}

function commandOf(verb: RunControl, reason: { readonly reason?: string }): CancelRun | PauseRun | UnpauseRun {
  switch (verb) {
    case 'cancel':
      return { type: 'CancelRun', data: reason };
    case 'pause':
      return { type: 'PauseRun', data: { ...reason, by: 'operator' } };
    case 'unpause':
      return { type: 'UnpauseRun', data: { ...reason, by: 'operator' } };
  }
}

/** What was so already is answered as if it had been done now (B-46). */
function lineOf(answer: CommandAnswer, done: ReceiptLine): ReceiptLine {
  const late: ReceiptLine = { ...done, outcome: 'late', problem: { code: 'run_ended', detail: `run ${answer.runId} has ended` } };
  switch (answer.kind) {
    case 'accepted':
      return done;
    case 'nothing':
      return answer.because === 'late' ? late : done;
    case 'rejected':
      return answer.rejection.code === 'run_ended' ? late : { ...refused(problemFrom(answer.rejection)), runs: done.runs };
  }
}
