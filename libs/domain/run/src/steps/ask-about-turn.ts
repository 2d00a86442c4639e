import type { PlannedStep } from '@cairn/domain-definition';
import { idOf, instantOf } from '@cairn/kernel';
import type { Draft } from '../draft.js';
import { reachCheckpoint } from '../recovery/checkpoint.js';
import { subjectDigestOf } from '../reviews/digest.js';
import type { ReviewOption, ReviewRequested, ReviewSubject } from '../reviews/events.js';
import { reviewsOf } from '../reviews/evolve.js';
import type { RunState } from '../state.js';
import { workOf } from './start.js';
import { GRANT } from './evolve.js';

/** How long people have to say it, as about a failure. Then the review is passed up and stays open: silence decides nothing. */
const LIMIT_DEADLINE_MS = 86_400_000;
/** Whose inbox it is: a definition names nobody for its limits. */
const QUEUE = 'recovery';

/** Attempts that the run may start before people are asked: the definition's limit, and what people have granted since. */
export const occurrencesMax = ({ ledger }: RunState, limit: number): number => limit + ledger.granted;

/**
 * The next turn of a loop would go beyond `limits.occurrences`: people say whether it does (`capabilities.md` §3.1, why `budget`). The turn
 * waits for them, and the run does not end over a number in silence.
 */
export function askAboutTurn(draft: Draft, step: PlannedStep, turn: number): void {
  const { state, plan, context } = draft;
  const occurrence = `${step.id}#${turn}`;
  const n = reviewsOf(state, occurrence).length + 1;
  const restores = `${occurrence}.review`;
  const { work, problem } = workOf(draft, step, draft.scope(step.stepRefs, { turn }));
  const shown = { step: occurrence, input: work.input, params: work.params, effect: null };
  const subject: ReviewSubject = {
    ...shown,
    digest: subjectDigestOf(plan.hash, shown),
    ...(problem === undefined ? {} : { problem }),
  };
  reachCheckpoint(draft, {
    name: restores,
    kind: 'review',
    step: occurrence,
    claim: { says: `every turn before ${occurrence} is complete; whether it starts is asked`, artifacts: [] },
  });
  const is = state.ledger.spend.get('')?.attempts ?? 0;
  const max = occurrencesMax(state, plan.limits.occurrences);
  const data: ReviewRequested['data'] = {
    reviewId: idOf('review', state.runId, state.branch, occurrence, n),
    step: occurrence,
    n,
    why: 'budget',
    queue: QUEUE,
    risk: step.risk,
    question: `Does ${step.id} go on with turn ${turn}? limits.occurrences: the run has started ${is} attempts and may start ${max}`,
    options: optionsOfTurn(draft, step, turn),
    subjects: [subject],
    subjectDigest: subject.digest,
    editable: [],
    candidates: [],
    quorum: { of: 1, notSameAs: [] },
    deadline: instantOf(context.now + LIMIT_DEADLINE_MS),
    onDeadline: 'escalate',
    escalate: [],
    receiptTtl: LIMIT_DEADLINE_MS,
    evidence: [{ limit: 'occurrences', is, max }],
    assumptions: [],
    restores,
  };
  draft.add({ type: 'ReviewRequested', version: 1, data });
}

export function optionsOfTurn({ plan }: Draft, step: PlannedStep, turn: number): readonly ReviewOption[] {
  const more = plan.limits.occurrences;
  const end = step.optional ? `${step.id} counts as skipped, since it is optional, and the run goes on.` : 'The run gives up.';
  return [
    {
      id: 'go_on',
      label: 'Go on',
      verdict: 'approve',
      then: `${GRANT}${more}`,
      preview: `The run may start ${more} attempts more, and turn ${turn} of ${step.id} starts. Beyond that it asks again.`,
    },
    { id: 'give_up', label: 'Give up', verdict: 'reject', then: 'give_up', preview: end },
  ];
}

/** Loops whose next turn people have granted, and that have not gone on since: the run was paused. */
export function loopsToGoOn({ plan, state }: Draft): { readonly turns: readonly string[]; readonly first: readonly string[] } {
  const held = plan.steps.flatMap(({ id, repeat }) => {
    if (repeat === undefined) return [];
    const turn = (state.path.loops.get(id) ?? 0) + 1;
    return !state.path.steps.has(`${id}#${turn}`) && reviewsOf(state, `${id}#${turn}`).some(([, { status }]) => status === 'approved')
      ? [{ id, turn }]
      : [];
  });
  return {
    turns: held.flatMap(({ id, turn }) => (turn > 1 ? [`${id}#${turn - 1}`] : [])),
    first: held.flatMap(({ id, turn }) => (turn > 1 ? [] : [id])),
  };
}
