import type { Plan, PlannedStep } from './plan.js';

/**
 * Tasks that may have made what a review is about, the likeliest first: of those that come before it the ones whose outputs it shows or
 * authorises, then the others, each time the nearest one first. A review that sends something back goes back to the first that has run.
 */
export function proposersOf(plan: Plan, review: PlannedStep): readonly PlannedStep[] {
  const before = ancestorsOf(plan, review).filter(({ kind }) => kind === 'task');
  const authorised = (review.review?.authorises ?? []).flatMap((id) => plan.step(id) ?? []);
  const shown = new Set([review, ...authorised].flatMap(({ stepRefs }) => stepRefs));
  const rank = ({ id }: PlannedStep): number => (shown.has(id) ? 0 : 1);
  return [...before].sort((a, b) => rank(a) - rank(b) || b.index - a.index);
}

function ancestorsOf(plan: Plan, step: PlannedStep): readonly PlannedStep[] {
  const found = new Map<string, PlannedStep>();
  const open = parentsOf(plan, step);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next.id) || next.id === step.id) continue;
    found.set(next.id, next);
    open.push(...parentsOf(plan, next));
  }
  return [...found.values()];
}

/** What it comes after; of a side step whoever names it. */
function parentsOf(plan: Plan, step: PlannedStep): PlannedStep[] {
  const named = step.side ? plan.steps.filter((one) => sidesNamedBy(one).some(({ side }) => side === step.id)) : [];
  return [...step.after.flatMap((id) => plan.step(id) ?? []), ...named];
}

/** Side steps that a step may call, and where it says so below its own pointer. */
export function sidesNamedBy({ wait, review }: PlannedStep): readonly { readonly side: string; readonly where: readonly string[] }[] {
  if (wait !== undefined)
    return [
      ...(wait.onDeadline !== null && 'step' in wait.onDeadline
        ? [{ side: wait.onDeadline.step, where: ['wait', 'onDeadline', 'step'] }]
        : []),
      ...(wait.staleReview === undefined ? [] : [{ side: wait.staleReview, where: ['wait', 'staleReview'] }]),
    ];
  if (review === undefined) return [];
  const outcomes = [
    ...review.verdicts.map(({ verdict, then }) => ({ then: then as string, where: ['review', 'verdicts', verdict] })),
    { then: review.onDeadline as string, where: ['review', 'onDeadline'] },
  ];
  return outcomes.flatMap(({ then, where }) => (then.startsWith('step:') ? [{ side: then.slice('step:'.length), where }] : []));
}
