import { previewWaitSchema, type PreviewWaitRequest, type WaitPreviewView } from '@cairn/contracts';
import { matchTrigger, type InboundEvent, type Match } from '@cairn/domain-definition';
import { firedOutput, previewWake, type RunState, type StoredTrigger, type WaitEntry, type WakePreview } from '@cairn/domain-run';
import { epochMsOf, instantOf, type Id, type Json } from '@cairn/kernel';
import type { Artifacts, Clock, EventStore, Ids } from '@cairn/ports';
import { checkedBody } from '../commands/checked-body.js';
import { openWaitOf } from '../commands/wait.js';
import { readOptionalJson } from '../edge/media.js';
import type { RawBody } from '../edge/read-body.js';
import { refuse } from '../edge/refused.js';
import type { RunReader } from './run-reader.js';
import { pinnedPlan } from './show-definition.js';

export interface PreviewWaitParts {
  readonly reader: RunReader;
  readonly store: EventStore;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** Outputs that one decision may need: a step names at most so many others. */
const LOADS_MAX = 500;

/**
 * `POST runs/{id}/waits/{w}:preview`: a pure question. What wakes the wait, the digest of the state that returns, and what begins then, as
 * the code decides it that will decide it in earnest (C-WAKEPREVIEW). With an event in thought: whether it would match.
 */
export async function previewWait(
  parts: PreviewWaitParts,
  ns: string,
  run: Id,
  named: string,
  body: RawBody | undefined,
): Promise<WaitPreviewView> {
  const asked = checkedBody(previewWaitSchema, readOptionalJson(body) ?? {});
  await parts.reader.ownRow(ns, run);
  const whole = await parts.reader.whole(ns, run);
  const { state } = whole;
  const waitId = openWaitOf(state, named);
  const wait = state.path.waits.get(waitId) ?? refuse('wait_not_found', 'The run has no such wait.');
  const { opened } = wait;
  if ((asked.trigger ?? 0) >= opened.triggers.length)
    refuse('invalid_body', 'The wait has no such trigger.', {
      errors: [{ pointer: '/trigger', rule: 'trigger', says: `must be below ${opened.triggers.length}` }],
    });
  const match = asked.event === undefined ? undefined : matchOf(wait, asked.event, parts);
  const preview = await wake(parts, ns, state, { waitId, ...wakingOf(asked, match) });
  const fits = match === undefined || 'trigger' in match;
  const guard = preview.broken;
  // One event in thought starts nothing while more must come, or while the wait collects until its deadline.
  const isEnough = match === undefined || (preview.triggers.length <= 1 && !opened.keepOpen);
  const goes = fits && guard === undefined && isEnough;
  const got = new Set(wait.got.map(({ trigger }) => trigger));
  const now = parts.clock.now();
  return {
    wait: waitId,
    run,
    step: wait.step,
    branch: state.branch,
    revision: state.revision,
    deadline: opened.deadline,
    clauses: opened.contract.clauses.map((clause) => ({
      ...clause,
      holds: holdsNow(clause.id, { wait, match, preview, now, asked: asked.event !== undefined }),
    })),
    triggers: opened.triggers.map((trigger, index) => ({
      trigger: index,
      wants: wantsText(trigger),
      has: got.has(index),
      senders: [...('from' in trigger ? (trigger.from ?? []) : []), ...('mayResume' in trigger ? (trigger.mayResume ?? []) : [])],
    })),
    restores: { checkpoint: opened.restores, stateDigest: claimedBy(whole.events, opened.restores) },
    stateDigest: preview.stateDigest,
    ...(match === undefined ? {} : { match: fits && guard !== undefined ? guard : match }),
    next: goes ? preview.next : [],
    ...(goes && preview.ends !== undefined ? { ends: preview.ends } : {}),
    fires: firedOutput(wait, { ...pickTrigger(asked), data: asked.data ?? null, at: instantOf(now) })?.output ?? null,
    alsoNeeded: preview.triggers.slice(1),
  };
}

const pickTrigger = ({ trigger }: PreviewWaitRequest) => (trigger === undefined ? {} : { trigger });

const wakingOf = (asked: PreviewWaitRequest, match: WaitPreviewView['match']) => {
  const trigger = match !== undefined && 'trigger' in match ? match.trigger : asked.trigger;
  const event = asked.event === undefined ? {} : { event: { type: asked.event.type, ...pick(asked.event) } };
  return { ...(trigger === undefined ? {} : { trigger }), data: asked.event?.data ?? asked.data ?? null, ...event };
};
const pick = ({ key, source, data }: NonNullable<PreviewWaitRequest['event']>) => ({
  ...(key === undefined ? {} : { key }),
  source: source ?? '',
  data: data ?? null,
});

/** Decides in thought, loading what its expressions need. */
async function wake(
  { store, artifacts, clock, ids }: PreviewWaitParts,
  ns: string,
  state: RunState,
  waking: Parameters<typeof previewWake>[2],
): Promise<WakePreview> {
  const plan = await pinnedPlan({ store, artifacts }, ns, state.started?.definition);
  const loaded = new Map<string, Json>();
  for (let loads = 0; loads < LOADS_MAX; loads += 1) {
    try {
      const preview = previewWake(plan, state, waking, { now: clock.now(), entropy: ids.next(), causationId: ids.next() }, loaded);
      return preview ?? refuse('wait_closed', 'The wait waits for nothing any more.');
    } catch (error) {
      const missing = (error as { readonly code?: string; readonly artifact?: string }).artifact;
      if (missing === undefined || loaded.has(missing)) throw error;
      const bytes = await artifacts.get(missing.replace(/^sha256:/, ''));
      if (bytes === undefined) throw error;
      loaded.set(missing, JSON.parse(Buffer.from(bytes).toString('utf8')) as Json);
    }
  }
  return refuse('service_unavailable', 'The preview needs more outputs than it may load.');
}

/** The first trigger that the event matches; else the clause that it comes nearest to. */
function matchOf(
  { opened: { triggers } }: WaitEntry,
  event: NonNullable<PreviewWaitRequest['event']>,
  { ids }: PreviewWaitParts,
): NonNullable<WaitPreviewView['match']> {
  const inbound: InboundEvent = { receiptId: ids.next(), id: 'in-thought', type: event.type, ...pick(event), extensions: {} };
  const matches = triggers.map((trigger) => matchTrigger(trigger, inbound));
  const trigger = matches.findIndex(({ kind }) => kind === 'match');
  if (trigger >= 0) return { trigger };
  const nos = matches.filter((match): match is Extract<Match, { kind: 'no' }> => match.kind === 'no');
  const nearest = nos.find(({ near }) => near) ?? nos.find(({ clause }) => clause !== 'trigger') ?? nos[0];
  const { clause = 'trigger', expected = null, got = event.type } = nearest ?? {};
  return { clause, expected, got };
}

interface Judged {
  readonly wait: WaitEntry;
  readonly match: WaitPreviewView['match'];
  readonly preview: WakePreview;
  readonly now: number;
  /** Whether an event was thought of: what only an event can keep or break is not known without. */
  readonly asked: boolean;
}

function holdsNow(id: string, { wait, match, preview, now, asked }: Judged): boolean | null {
  if (id === 'head') return true;
  if (id === 'deadline') return wait.opened.deadline === null || epochMsOf(wait.opened.deadline) > now;
  if (!asked || match === undefined) return null;
  if (id === 'guard') return 'trigger' in match ? preview.broken === undefined : null;
  if (id === 'sender') return !('clause' in match && match.clause === 'sender');
  return id === 'trigger' ? 'trigger' in match || match.clause === 'sender' : null;
}

/** What the checkpoint of that name has claimed last. */
function claimedBy(events: readonly { readonly type: string; readonly data: object }[], name: string): string | null {
  const reached = events.findLast(({ type, data }) => type === 'CheckpointReached' && (data as { name: string }).name === name);
  return reached === undefined ? null : String((reached.data as { stateDigest: string }).stateDigest);
}

function wantsText(trigger: StoredTrigger): string {
  switch (trigger.kind) {
    case 'event': {
      const key = trigger.key === undefined ? '' : ` with key ${trigger.key}`;
      return `event ${trigger.type}${key}${trigger.where === undefined ? '' : ` where ${trigger.where}`}`;
    }
    case 'signal':
      return `signal ${trigger.name}`;
    case 'callback':
      return `callback ${trigger.name}`;
    case 'timer':
      return `the time ${trigger.at}`;
  }
}
