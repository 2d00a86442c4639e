import type { StepDocument } from '../document.js';
import { proposersOf, sidesNamedBy } from '../proposers.js';
import type { Plan, PlannedReview, PlannedStep } from '../plan.js';
import { at, WHOLE } from '../pointer.js';
import type { Problems } from '../problems.js';
import { mayHave } from './effects.js';
import { Settled } from './references.js';

/** C-REVIEW: a review asks in time, about something that is there, and everything that may be decided can be done. */
export function lintReviews(plan: Plan, problems: Problems): void {
  const settled = new Settled(plan);
  for (const step of plan.steps) {
    const { review, document } = step;
    if (review === undefined || document.review === undefined) continue;
    const pointer = at(step.pointer, 'review');
    if (document.review.deadline === undefined && !problems.refusedAt(at(pointer, 'deadline')))
      problems.error(pointer, 'review-without-deadline', `${step.id} may be left undecided for ever: say deadline`);
    if (step.optional)
      problems.error(at(step.pointer, 'optional'), 'not_allowed', `${step.id} is a review: what nobody decided is not passed over`);
    lintVerdicts(plan, step, pointer, problems);
    lintAuthorised(plan, step, review, settled, at(pointer, 'authorises'), problems);
    lintEditable(plan, document, review, at(pointer, 'editable'), problems);
    lintQuorum(plan, review, at(pointer, 'quorum'), problems);
  }
}

function lintVerdicts(plan: Plan, step: PlannedStep, pointer: string, problems: Problems): void {
  const { review } = step.document;
  for (const [verdict, then] of Object.entries(review?.verdicts ?? {})) {
    const where = at(pointer, 'verdicts', verdict);
    const wrong = typeof then === 'string' ? wrongOutcome(plan, step, then) : undefined;
    if (wrong !== undefined) problems.error(where, wrong.rule, wrong.says);
    else if (verdict === 'edit' && (review?.editable ?? []).length === 0)
      problems.error(where, 'not_allowed', 'nothing may be edited: name it in editable');
  }
}

/** Whether what follows a verdict can follow it here. */
function wrongOutcome(plan: Plan, step: PlannedStep, then: string): { readonly rule: string; readonly says: string } | undefined {
  const not = (says: string): { readonly rule: string; readonly says: string } => ({ rule: 'not_allowed', says });
  const [outcome, id] = then.split(':');
  if (outcome === 'again' && !isNamedByWait(plan, step.id))
    return not('again opens the wait again that has named this review: name it there, in onDeadline or staleReview');
  if (outcome === 'reduce' && id !== undefined && !plan.reduced.some((path) => path.id === id))
    return { rule: 'unknown-ref', says: `there is no reduced path ${id}` };
  if (outcome === 'reduce' && plan.reduced.length === 0) return not('the workflow declares no reduced path');
  if (outcome === 'branch' && proposersOf(plan, step).length === 0)
    return not(`no task comes before ${step.id}, which could be done again`);
  if (outcome === 'fallback' && !proposersOf(plan, step).some(({ fallback }) => fallback.length > 0))
    return not(`no task before ${step.id} declares an alternative`);
  return undefined;
}

const isNamedByWait = (plan: Plan, side: string): boolean =>
  plan.steps.some((step) => step.wait !== undefined && sidesNamedBy(step).some((named) => named.side === side));

function lintAuthorised(plan: Plan, step: PlannedStep, review: PlannedReview, settled: Settled, pointer: string, problems: Problems): void {
  for (const [i, id] of review.authorises.entries()) {
    const guarded = plan.step(id);
    const where = at(pointer, i);
    if (guarded === undefined) problems.error(where, 'unknown-ref', `there is no step ${id}`);
    else if (guarded.kind !== 'effect' && guarded.kind !== 'task')
      problems.error(where, 'not_allowed', `${id} is a ${guarded.kind}, and only a task or an effect is authorised`);
    else if (guarded.repeat !== undefined) problems.error(where, 'not_allowed', `${id} repeats, and an approval is for one of its turns`);
    else if (!guarded.side && !settled.before(guarded, step.id))
      problems.error(where, 'not_allowed', `${id} may start before ${step.id} is decided: name it in after`);
  }
}

function lintEditable(plan: Plan, document: StepDocument, review: PlannedReview, pointer: string, problems: Problems): void {
  if (review.editable.length === 0) return;
  const [id, another] = review.authorises;
  if (another !== undefined)
    return problems.error(pointer, 'not_allowed', 'what may be edited is the input of one step, and this review authorises several');
  if (id !== undefined && (plan.step(id)?.guardedBy.length ?? 0) > 1)
    return problems.error(pointer, 'not_allowed', `another review authorises ${id} too, and would not have seen what is edited here`);
  const edited = id === undefined ? document : plan.step(id)?.document;
  for (const [i, field] of review.editable.entries()) {
    if (field !== WHOLE && !mayHave(edited?.input ?? {}, field))
      problems.error(at(pointer, i), 'unknown-ref', `the input${id === undefined ? '' : ` of ${id}`} has no ${field}`);
  }
}

function lintQuorum(plan: Plan, { quorum, candidates, escalate }: PlannedReview, pointer: string, problems: Problems): void {
  const people = [...candidates, ...escalate.map(({ to }) => to)];
  const named = candidates.length > 0 && people.every((one) => one.startsWith('user:'));
  if (named && new Set(people).size < quorum.of)
    problems.error(at(pointer, 'of'), 'quorum', `needs ${quorum.of} people, and names ${new Set(people).size}`);
  for (const [i, name] of quorum.notSameAs.entries()) {
    const id = typeof name === 'string' && name.startsWith('step:') ? name.slice('step:'.length) : undefined;
    if (id !== undefined && plan.step(id) === undefined)
      problems.error(at(pointer, 'notSameAs', i), 'unknown-ref', `there is no step ${id}`);
  }
}
