import { canon } from '@cairn/kernel';
import { runEnds } from '@cairn/domain-run';
import type { Walk } from './walk.js';

interface Attempt {
  readonly step: string;
  open: boolean;
  /** The reply that closed it, if one did. */
  replyId?: string;
}

/** I-10 and I-11: one open attempt per step occurrence, and only its own result counts. */
export function checkAttempts(walk: Walk): void {
  const { report } = walk;
  const attempts = new Map<string, Attempt>();
  const openOf = new Map<string, string>();
  const late = new Set<string>();
  const close = (attempt: Attempt): void => {
    attempt.open = false;
    openOf.delete(attempt.step);
  };
  for (const event of walk.events()) {
    switch (event.type) {
      case 'BranchOpened':
        for (const [attemptId, attempt] of attempts) if (attempt.open && !event.data.carried.attempts.includes(attemptId)) close(attempt);
        for (const attemptId of event.data.carried.attempts)
          if (attempts.get(attemptId)?.open !== true)
            report('I-11', event.revision, `attempt ${attemptId} is carried and is not open at the fork`);
        break;
      case 'StepStarted': {
        const { step, attemptId } = event.data;
        const other = openOf.get(step);
        if (other !== undefined) report('I-11', event.revision, `${step} starts ${attemptId} while its attempt ${other} is open`);
        if (attempts.has(attemptId)) report('I-11', event.revision, `attempt id ${attemptId} is used twice`);
        attempts.set(attemptId, { step, open: true });
        openOf.set(step, attemptId);
        break;
      }
      case 'StepSucceeded':
      case 'StepFailed': {
        const { step, attemptId } = event.data;
        const attempt = attempts.get(attemptId);
        if (attempt === undefined)
          report('I-10', event.revision, `${event.type} of ${step} quotes attempt ${attemptId}, which never started here`);
        else if (!attempt.open) report('I-10', event.revision, `${event.type} of ${step} quotes attempt ${attemptId}, which was over`);
        else if (attempt.step !== step) report('I-10', event.revision, `attempt ${attemptId} is of ${attempt.step}, not of ${step}`);
        if (walk.begins(event.revision) && event.causationId.endsWith(END) && event.causationId !== `${attemptId}${END}`) {
          report('I-10', event.revision, `${event.type} of attempt ${attemptId} comes from ${event.causationId}, the reply of another`);
        }
        if (attempt === undefined) break;
        close(attempt);
        attempt.replyId = event.causationId;
        break;
      }
      case 'LateResultRecorded': {
        const { step, attemptId, replyId } = event.data;
        const attempt = attempts.get(attemptId);
        const pair = canon([attemptId, replyId]);
        if (attempt?.open === true)
          report('I-10', event.revision, `${step}: the reply to ${attemptId} is called late while that attempt is open`);
        if (attempt?.replyId === replyId)
          report('I-10', event.revision, `${step}: reply ${replyId} was accepted and is recorded as late, too`);
        if (late.has(pair)) report('I-10', event.revision, `${step}: reply ${replyId} is recorded as late twice`);
        late.add(pair);
        break;
      }
      default:
        if (isEnd(event.type)) for (const attempt of attempts.values()) if (attempt.open) close(attempt);
    }
  }
}

/** How the id of an attempt's one terminal reply ends. */
const END = ':end';

export const isEnd = (type: string): boolean => (runEnds as readonly string[]).includes(type) || isEndOfShadow(type);
/** What ends a shadow ends no run. */
export const isEndOfShadow = (type: string): boolean => type === 'ShadowEnded' || type === 'BranchAbandoned';
