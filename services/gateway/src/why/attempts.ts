import type { OpenAttempt } from '@cairn/domain-run';
import type { Id } from '@cairn/kernel';
import { command, newest, since, type Reason, type WhyFacts } from './facts.js';

/** What execution calls a handler that has no session: single polls bear no name. */
const POLLER = 'poll';
const named = (handler: string): string => (handler === POLLER ? 'Whoever polled the queue' : `Handler ${handler}`);

/** Attempts that are open: who has them, or why nobody does. */
export function openAttempts(facts: WhyFacts): Reason[] {
  return [...facts.state.path.attempts.entries()].flatMap(([attemptId, attempt]) => reasonOf(facts, attemptId, attempt) ?? []);
}

function reasonOf(facts: WhyFacts, attemptId: Id, attempt: OpenAttempt): Reason | undefined {
  const { step, startedAt } = attempt;
  const queue = facts.state.path.steps.get(step)?.work?.queue ?? '';
  const about = { step, attemptId, queue, next: command(facts, 'run watch') };
  const what = attempt.n === 1 ? `step ${step}` : `attempt ${attempt.n} of step ${step}`;
  const view = facts.queue(queue);
  if (view === undefined)
    return {
      ...about,
      next: 'npx cairn doctor',
      kind: 'no_execution',
      says: `Execution does not answer, so nobody knows who has ${what}, which is ${since(facts, startedAt)} old; the run goes on when a replica is there again.`,
    };
  const handler = facts.holder(attemptId);
  const taken = attempt.taken ? newest(facts, 'AttemptTaken', ({ data }) => data.attemptId === attemptId) : undefined;
  if (handler !== undefined) {
    // Without a claim nothing says when it was handed over: only how old the attempt is.
    const says =
      taken === undefined ? `has ${what}, which is ${since(facts, startedAt)} old` : `has had ${what} for ${since(facts, taken.at)}`;
    return { ...about, kind: 'with_handler', says: `${named(handler)} ${says}.` };
  }
  if (taken !== undefined)
    return {
      ...about,
      kind: 'handed_out',
      says: `${named(taken.data.handler)} took ${what} ${since(facts, taken.at)} ago and is not connected; when its lease is over, it counts as lost.`,
    };
  if (facts.state.path.paused) return undefined; // It is not handed out: that the run is paused says all.
  const { handlers, waiting } = view;
  const waits = `${what} has waited for ${since(facts, startedAt)}`;
  if (handlers === 0)
    return {
      ...about,
      kind: 'no_handler',
      says: `No handler serves queue ${queue}, where ${waits}; start a handler that serves queue ${queue} (README: By hand), and the run goes on.`,
    };
  const crew = handlers === 1 ? 'the one handler' : `one of the ${handlers} handlers`;
  return {
    ...about,
    kind: 'queued',
    says: `In queue ${queue} ${waits} for ${crew} to be free, with ${waiting === 1 ? 'no other task' : `${waiting} tasks in all`}.`,
  };
}
