import { CALLBACK_SOURCE } from '@cairn/contracts';
import type { PlannedTrigger } from '@cairn/domain-definition';
import type { RunState } from '@cairn/domain-run';
import { evolveReceipt, receiptView, type ReceiptState, type ReceiptView } from '@cairn/domain-schedule';
import { epochMsOf, idOf, receiptStream, sha256Hex, type Id, type Instant, type Revision } from '@cairn/kernel';
import type { Artifacts, CallbackClaim, CallbackTokens, Clock, EventStore } from '@cairn/ports';
import { Refused, refuse } from '../edge/refused.js';
import type { RunReader } from '../queries/run-reader.js';
import { pinnedPlan } from '../queries/show-definition.js';
import type { WholeRun } from '../queries/whole-run.js';

export interface CallbackParts {
  /** Absent: no link is known here. */
  readonly tokens: CallbackTokens | undefined;
  readonly namespaces: ReadonlySet<string>;
  readonly reader: RunReader;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
}

/** A link that is one of ours, and what became of it. */
export interface Callback {
  readonly claim: CallbackClaim;
  readonly waitId: Id;
  /** What names its use: the digest, for the token itself stands nowhere. */
  readonly eventId: string;
  readonly receiptId: Id;
  /** Used before, with what came of that. */
  readonly used?: ReceiptView;
}

/** A link that may be used now. */
export interface OpenCallback {
  readonly workflow: string;
  readonly purpose?: string;
  readonly trigger: Extract<PlannedTrigger, { kind: 'callback' }>;
  /** `early`: its run has not come so far; what is sent is kept. */
  readonly state: 'open' | 'early';
  readonly until: Instant | null;
}

/** What every link is told that leads nowhere: forged, cut, of another key, too late, left behind by a fork. They look alike (B-30). */
export const noCallback = (): never =>
  refuse('callback_not_found', 'This link leads nowhere: it is none of ours, or what it was for is over.');

/** Refuses what was not issued here. */
export async function knownCallback({ tokens, namespaces, store }: CallbackParts, token: string): Promise<Callback> {
  const claim = tokens?.read(token);
  if (claim === undefined || !namespaces.has(claim.ns)) return noCallback();
  const { ns, run, wait } = claim;
  const eventId = sha256Hex(token);
  const receiptId = idOf('receipt', ns, CALLBACK_SOURCE, eventId);
  let receipt: ReceiptState | undefined;
  for (const event of await store.read(receiptStream(receiptId))) receipt = evolveReceipt(receipt, event);
  const waitId = idOf('wait', run, wait);
  return { claim, waitId, eventId, receiptId, ...(receipt === undefined ? {} : { used: receiptView(receipt) }) };
}

/**
 * The link as its run has it now. Refuses it where the run is gone or over, where the wait is over by whatever ended it, and where the
 * attempt that was given it does not lie on the way to the head: a fork from before it hands out links of its own.
 */
export async function openCallback(parts: CallbackParts, { claim, waitId }: Callback): Promise<OpenCallback> {
  const { ns, run, wait, name } = claim;
  const whole = await wholeOf(parts, ns, run);
  const { state } = whole;
  if (state.end !== null || state.started === null || !isOnWay(whole, claim)) return noCallback();
  const { name: workflow } = state.started.definition;
  const step = (await pinnedPlan(parts, ns, state.started.definition)).step(wait);
  const trigger = step?.wait?.triggers.find((one) => one.kind === 'callback' && one.name === name);
  if (trigger?.kind !== 'callback') return noCallback();
  const place = placeOf(state, wait, waitId);
  if (place === undefined || (place.until !== null && epochMsOf(place.until) <= parts.clock.now())) return noCallback();
  return { workflow, ...(step?.purpose === undefined ? {} : { purpose: step.purpose }), trigger, ...place };
}

async function wholeOf({ reader }: CallbackParts, ns: string, run: Id): Promise<WholeRun> {
  try {
    await reader.ownRow(ns, run);
    return await reader.whole(ns, run);
  } catch (error) {
    if (error instanceof Refused) return noCallback();
    throw error;
  }
}

/** Whether the wait waits, or will; `undefined`: it is over. */
function placeOf({ path }: RunState, step: string, waitId: Id): Pick<OpenCallback, 'state' | 'until'> | undefined {
  const entry = path.waits.get(waitId);
  if (entry?.open === true) return { state: 'open', until: entry.opened.deadline };
  if (path.steps.has(step) || path.scope.has(step)) return undefined;
  return { state: 'early', until: null };
}

/**
 * Whether the attempt that was given the link lies on the path of the head: on it, or on what it grew from, up to where it did. One that was
 * open there and was not carried begins anew, and hands out links of its own.
 */
function isOnWay(whole: WholeRun, { branch, revision }: { readonly branch: string; readonly revision: Revision }): boolean {
  const seen = new Set<string>();
  let at: { readonly branch: string; readonly revision: Revision } = { branch: whole.state.branch, revision: Number.POSITIVE_INFINITY };
  while (!seen.has(at.branch)) {
    if (at.branch === branch) return revision <= at.revision;
    seen.add(at.branch);
    const [opened] = whole.decodedBranches.get(at.branch) ?? [];
    if (opened?.type !== 'BranchOpened') return false;
    const { parent, carried } = opened.data;
    const open = [...whole.stateAt(parent.branch, parent.revision).path.attempts.entries()];
    const given = open.find(([, attempt]) => attempt.startedBranch === branch && attempt.startedRevision === revision);
    if (given !== undefined && !carried.attempts.includes(given[0])) return false;
    at = parent;
  }
  return false;
}
