import type { WhyNot } from '@cairn/contracts';
import { matchTrigger, type InboundEvent, type Match } from '@cairn/domain-definition';
import { isOpenReview, parseOccurrence, usedKey, type StoredTrigger, type WaitEntry } from '@cairn/domain-run';
import type { Instant, Json } from '@cairn/kernel';
import { said, shown, since, type Reason, type WhyFacts } from './facts.js';

/** An event that somebody thinks should have moved the run. */
export interface LookedAt {
  readonly ns: string;
  readonly at: Instant;
  readonly event: InboundEvent;
}

/**
 * Why the run does not go on: each event that was looked at against each open wait, clause by clause; then, for every wait that none of them
 * was for, that nothing has come, and of everything else that is open what it is that has not happened. Pure. What moves the run stands in
 * `because`; this is what did not.
 */
export function whyNot(facts: WhyFacts, because: readonly Reason[], looked: readonly LookedAt[]): WhyNot[] {
  const { state } = facts;
  if (state.end !== null) return [{ says: `Nothing moves it: the run has ended, ${state.end.outcome}.` }];
  const waits = [...state.path.waits.values()].filter(({ open }) => open);
  const paused = state.path.paused
    ? [{ says: 'The run is paused: what comes is taken, and nothing starts until somebody lets it go on.' }]
    : [];
  const judged = looked.flatMap((one) => (waits.length === 0 ? [noWait(facts, one)] : waits.map((wait) => judge(facts, wait, one))));
  const unheard = waits
    .filter(({ step }) => !judged.some((one) => one.step === step && one.clause !== 'trigger'))
    .map((wait) => ({ step: wait.step, says: nothingCame(facts, wait) }));
  const asked = [...state.path.reviews.values()]
    .filter(isOpenReview)
    .map(({ step }) => ({ step, says: `Nobody has decided review ${step} yet: no event and no handler can do that.` }));
  return [...paused, ...judged, ...unheard, ...asked, ...because.flatMap((reason) => notYet(reason) ?? [])];
}

/** What has not happened to something that no event from outside moves. Waits, reviews and pauses have sentences of their own. */
function notYet({ kind, step, queue = '?', at }: Reason): WhyNot | undefined {
  const what = missing({ kind, queue, ...(at === undefined ? {} : { at }) });
  if (what === undefined) return undefined;
  return step === undefined ? { says: `${what[0]?.toUpperCase()}${what.slice(1)}.` } : { step, says: `${step}: ${what}.` };
}

function missing({ kind, queue, at }: Pick<Reason, 'kind' | 'at'> & { readonly queue: string }): string | undefined {
  switch (kind) {
    case 'no_execution':
      return 'no replica of execution answers, so no task is given and no answer taken';
    case 'no_handler':
      return `nobody has asked queue ${queue} for work, and no event does the work of a handler`;
    case 'queued':
      return `no handler of queue ${queue} has been free for it yet`;
    case 'with_handler':
      return 'its handler has not answered yet, and nobody else can';
    case 'handed_out':
      return 'whoever took it has not answered, and is not connected; it is not given to anybody else while its lease holds';
    case 'undecided':
      return 'its failure has not been judged yet, and nothing is tried again unasked';
    case 'retry_due':
      return at === undefined
        ? 'execution has not gone on with what was decided yet'
        : `it is not due before ${at}, and no event brings that forward`;
    case 'effect_unknown':
      return 'nobody has said yet what became of its effect, and without that it is not called again';
    case 'awaiting_decision':
      return 'nothing follows by itself any more, and nobody has decided anything else';
    case 'deciding':
      return 'execution has not gone on yet, and nothing else can';
    default:
      return undefined;
  }
}

const named = ({ event: { receiptId, type, source, key } }: LookedAt): NonNullable<WhyNot['event']> => ({
  receiptId,
  type,
  source,
  ...(key === undefined ? {} : { key }),
});

const eventText = (facts: WhyFacts, { event, at }: LookedAt): string => `${event.type} from ${said(event.source)} ${since(facts, at)} ago`;

const noWait = (facts: WhyFacts, one: LookedAt): WhyNot => ({
  event: named(one),
  says: `${eventText(facts, one)}: the run waits for no event.`,
});

function judge(facts: WhyFacts, wait: WaitEntry, one: LookedAt): WhyNot {
  const { step } = wait;
  const about = { step, event: named(one) };
  const what = `${eventText(facts, one)} did not wake ${step}`;
  if (
    facts.state.ledger.used.has(usedKey(parseOccurrence(step).step, one.event.receiptId)) ||
    wait.got.some(({ eventId }) => eventId === one.event.receiptId)
  )
    return { ...about, clause: 'used', says: `${eventText(facts, one)} has been used for ${step}: it counts once.` };
  const nos: Extract<Match, { kind: 'no' }>[] = [];
  for (const trigger of wait.opened.triggers) {
    const match = matchTrigger(trigger, one.event);
    if (match.kind === 'match')
      return {
        ...about,
        clause: 'guard',
        ...(wait.opened.guard === undefined ? {} : { expected: wait.opened.guard }),
        says:
          wait.opened.guard === undefined
            ? `${eventText(facts, one)} matches ${step}: it is kept or on its way.`
            : `${what}: it matches, and the guard ${said(wait.opened.guard)} did not let it through.`,
      };
    nos.push(match);
  }
  const nearest = nos.find(({ near }) => near) ?? nos.find(({ clause }) => clause !== 'trigger') ?? nos[0];
  const { clause, expected, got } = nearest ?? { clause: 'trigger', expected: null as Json, got: one.event.type as Json };
  return { ...about, clause, expected, got, says: `${what}: ${clause} expected ${shown(expected)}, got ${shown(got)}.` };
}

function nothingCame(facts: WhyFacts, wait: WaitEntry): string {
  const come = new Set(wait.got.map(({ trigger }) => trigger));
  const missing = wait.opened.triggers.filter((_, index) => !come.has(index)).map(wantedText);
  return `${wait.step} has waited ${since(facts, wait.openedAt)}, and nothing that fits has come: ${missing.join('; ')}.`;
}

function wantedText(trigger: StoredTrigger): string {
  switch (trigger.kind) {
    case 'event':
      return `${trigger.type}${trigger.key === undefined ? '' : ` with key ${said(trigger.key)}`}`;
    case 'signal':
      return `signal ${trigger.name}`;
    case 'callback':
      return `callback ${trigger.name}`;
    case 'timer':
      return `its time, ${trigger.at}`;
  }
}
