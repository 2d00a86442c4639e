import type { WhyView } from '@cairn/contracts';
import { openAttempts } from './attempts.js';
import { ended } from './ended.js';
import { command, since, type Reason, type WhyFacts } from './facts.js';
import { failures } from './failures.js';
import { paused } from './paused.js';
import { openReviews } from './reviews.js';
import { openWaits } from './waits.js';

/** From what only a person moves to what moves by itself. */
const pressing: readonly Reason['kind'][] = [
  'complete',
  'paused',
  'escalated',
  'effect_unknown',
  'awaiting_decision',
  'no_execution',
  'no_handler',
  'undecided',
  'handed_out',
  'queued',
  'with_handler',
  'retry_due',
  'in_review',
  'waiting',
  'deciding',
];

/** Who has the ball, in one sentence, and the command that moves it (U-11). Pure: equal facts, equal sentence. */
export function why(facts: WhyFacts): WhyView {
  const { state } = facts;
  const { state: name, sub, since: from } = state.status;
  const reasons = state.end === null ? openThings(facts) : [ended(facts)];
  const because = reasons.sort((a, b) => rank(a) - rank(b) || (a.at ?? '~').localeCompare(b.at ?? '~'));
  const [first = deciding(facts), ...others] = because;
  return {
    run: state.runId,
    state: name,
    ...(sub === null ? {} : { sub }),
    since: from ?? state.at ?? '',
    says: first.says,
    next: first.next,
    because: [first, ...others],
  };
}

const rank = ({ kind }: Reason): number => pressing.indexOf(kind);

const openThings = (facts: WhyFacts): Reason[] => [
  ...paused(facts),
  ...failures(facts),
  ...openAttempts(facts),
  ...openReviews(facts),
  ...openWaits(facts),
];

/** Nothing is open, and the run has not ended: an append of execution is under way, or execution is not. */
function deciding(facts: WhyFacts): Reason {
  const { at } = facts.state;
  const last = at === null ? '' : `, ${since(facts, at)} after the last event`;
  return { kind: 'deciding', says: `Nothing is open: execution is about to go on${last}.`, next: command(facts, 'run watch') };
}
