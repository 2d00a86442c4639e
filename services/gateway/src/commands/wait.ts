import { fireWaitSchema, HTTP_SOURCE, RESCHEDULE_WAIT, rescheduleWaitSchema, subjects, type OpenBranchRequest } from '@cairn/contracts';
import { duesOf, firedOutput, parseOccurrence, type RunState, type WaitEntry } from '@cairn/domain-run';
import { idOf, instantOf, isId, receiptStream, type Id, type Json } from '@cairn/kernel';
import type { Artifacts, Clock, EventStore } from '@cairn/ports';
import { accepted, type Answer } from '../answer.js';
import { readJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import { checkedBody } from './checked-body.js';
import { pinnedPlan } from '../queries/show-definition.js';
import type { ControlRunParts } from './control-run.js';
import { askByEvent } from './control-event.js';
import { openBranchAsAsked } from './open-branch.js';

export interface WaitParts extends ControlRunParts {
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
}

/** The wait that a path names, by its id or by the step that waits. Refuses `wait_not_found`, and `wait_closed` where it is not open. */
export function openWaitOf({ path }: RunState, named: string): Id {
  const found = isId(named) ? named : [...path.waits.entries()].find(([, { step }]) => step === named)?.[0];
  const wait = found === undefined ? undefined : path.waits.get(found);
  if (found === undefined || wait === undefined) return refuse('wait_not_found', 'The run has no such wait on the branch that acts.');
  return wait.open ? found : refuse('wait_closed', `${wait.step} waits for nothing any more.`);
}

/**
 * `POST runs/{id}/waits/{w}:reschedule`: 202 with the receipt; 404 unknown; 409 `wait_closed`; 422 where neither time is said, or is none.
 * The wait goes on under its id, with what has come.
 */
export async function rescheduleWait(
  parts: WaitParts,
  ns: string,
  run: Id,
  named: string,
  eventId: string | undefined,
  body: RawBody | undefined,
): Promise<Answer> {
  const asked = checkedBody(rescheduleWaitSchema, readJson(body));
  const dues = duesOf(asked, parts.clock.now());
  if (!dues.ok) refuse('reschedule_invalid', 'The times cannot be read.', { errors: dues.errors });
  await parts.reader.ownRow(ns, run);
  // With a key of its own a repeat is the same event, whatever became of the wait since.
  const wait = isId(named) && eventId !== undefined ? named : openWaitOf((await parts.reader.whole(ns, run)).state, named);
  const data = { wait, ...asked } as unknown as Json;
  const verb = RESCHEDULE_WAIT;
  const receipt = await askByEvent(parts, { ns, run, verb, subject: subjects.waitReschedule(ns, run), eventId, data });
  if (receipt.outcome === 'late')
    refuse('run_ended', 'The run has ended; nothing can reach it any more.', { receiptId: receipt.receiptId });
  return accepted(receipt);
}

/**
 * `POST runs/{id}/waits/{w}:fire`: 201 with the branch. A wait that is fired by hand has not happened: what it gives is overridden, on a
 * branch of its own that says who did it and why (`capabilities.md` §6).
 */
export async function fireWait(
  parts: WaitParts,
  ns: string,
  run: Id,
  named: string,
  eventId: string | undefined,
  body: RawBody | undefined,
): Promise<Answer> {
  const { trigger, data = null, reason, evidence } = checkedBody(fireWaitSchema, readJson(body));
  const known = eventId === undefined ? undefined : await askedBefore(parts.store, ns, eventId);
  if (known !== undefined) return openBranchAsAsked(parts, ns, run, eventId, known);
  await parts.reader.ownRow(ns, run);
  const { state } = await parts.reader.whole(ns, run);
  const wait = openWaitOf(state, named);
  const entry = state.path.waits.get(wait) ?? refuse('wait_not_found', 'The run has no such wait.');
  const { step } = entry;
  const value = await givenByHand(parts, ns, state, entry, { ...(trigger === undefined ? {} : { trigger }), data });
  return openBranchAsAsked(parts, ns, run, eventId, {
    from: { branch: state.branch, at: state.revision },
    cause: 'override',
    reason,
    ...(evidence === undefined ? {} : { evidence }),
    changes: [{ op: 'add', path: `/outputs/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`, value }],
    expectHead: `${state.branch}@${state.revision}`,
  });
}

/** What the wait gives; refuses a trigger that there is not, or that has come already, and data that its callback would not take. */
async function givenByHand(
  parts: WaitParts,
  ns: string,
  { started }: RunState,
  wait: WaitEntry,
  { trigger, data }: { readonly trigger?: number; readonly data: Json },
): Promise<Json> {
  const { triggers } = wait.opened;
  const wrong = (says: string): never =>
    refuse('invalid_body', 'The wait has no such trigger.', { errors: [{ pointer: '/trigger', rule: 'trigger', says }] });
  if ((trigger ?? 0) >= triggers.length) wrong(`must be below ${triggers.length}`);
  const fired = firedOutput(wait, { ...(trigger === undefined ? {} : { trigger }), data, at: instantOf(parts.clock.now()) });
  if (fired === undefined) return wrong('it has come already; without a trigger what is missing is taken to have come');
  const plan = await pinnedPlan(parts, ns, started?.definition);
  const planned = plan.step(parseOccurrence(wait.step).step)?.wait?.triggers[fired.trigger];
  const errors = planned?.kind === 'callback' ? planned.validate(data) : [];
  if (errors.length > 0)
    refuse('callback_data_invalid', 'That is not what the link of this trigger asks for.', {
      errors: errors.map((error) => ({ ...error, pointer: `/data${error.pointer}` })),
    });
  return fired.output;
}

/** What the same key asked for before: what was computed then is what it says for ever. */
async function askedBefore(store: EventStore, ns: string, eventId: string): Promise<OpenBranchRequest | undefined> {
  const [received] = await store.read(receiptStream(idOf('receipt', ns, HTTP_SOURCE, eventId)), 0, 0);
  return received?.data['data'] as OpenBranchRequest | undefined;
}
