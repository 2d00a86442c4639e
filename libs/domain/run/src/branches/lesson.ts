import type { JsonPatchOp } from '@cairn/domain-definition';
import { canon } from '@cairn/kernel';
import type { Occurrence } from '../shared-fields.js';
import type { LeftPath, Lesson, LessonFailure, RunState } from '../state.js';
import { isSettled } from '../steps/evolve.js';
import type { BranchOpened } from './events.js';
import { verdictsSince } from './verdicts.js';

/** A lesson goes out with every task: it is told in few words. */
const FAILURES_MAX = 10;
const MESSAGE_CHARS_MAX = 500;
const CHANGES_MAX = 20;
const VALUE_CHARS_MAX = 500;
const LESSONS_BEFORE_MAX = 4;

/** What failed on the head and had not been mended at the fork: once for each step, the newest first. */
export function leftPath(parent: RunState, head: RunState): LeftPath {
  const newest = new Map<Occurrence, LessonFailure & { readonly at: readonly [string, number] }>();
  for (const { step, n, bucket, message, failedAt, failedRevision } of head.path.retries.values()) {
    if (isSettled(parent, step) || (newest.get(step)?.attempts ?? 0) >= n) continue;
    newest.set(step, { step, attempts: n, bucket, message: cut(message, MESSAGE_CHARS_MAX), at: [failedAt, failedRevision] });
  }
  const failures = [...newest.values()].sort((a, b) => (a.at[0] === b.at[0] ? b.at[1] - a.at[1] : a.at[0] < b.at[0] ? 1 : -1));
  return {
    branch: head.branch,
    revision: head.revision,
    outcome: head.end?.outcome ?? null,
    failures: failures.slice(0, FAILURES_MAX).map(({ at: _, ...failure }) => failure),
    verdicts: verdictsSince(parent, head),
  };
}

/** The lesson of a branch that is told one. `parent`: that of the path it grew from. */
export function lessonOf(data: BranchOpened['data'], branch: string, left: LeftPath, parent: Lesson | null): Lesson | null {
  if (data.lesson === 'untold') return null;
  const { cause, reason, changes } = data;
  const before = parent === null ? [] : [withoutBefore(parent), ...(parent.before ?? [])].slice(0, LESSONS_BEFORE_MAX);
  return {
    branch,
    cause,
    reason,
    from: `${data.parent.branch}@${data.parent.revision}`,
    left: `${left.branch}@${left.revision}`,
    ...(left.outcome === null ? {} : { outcome: left.outcome }),
    failures: left.failures,
    changes: changes.slice(0, CHANGES_MAX).map(shortened),
    ...(before.length === 0 ? {} : { before }),
  };
}

function withoutBefore({ before: _, ...lesson }: Lesson): Omit<Lesson, 'before'> {
  return lesson;
}

const shortened = (op: JsonPatchOp): Lesson['changes'][number] =>
  'value' in op && canon(op.value).length > VALUE_CHARS_MAX ? { op: op.op, path: op.path } : op;

const cut = (text: string, max: number): string => (text.length <= max ? text : `${text.slice(0, max - 1)}…`);
