import type { BranchView } from '@cairn/contracts';
import type { RunEvent } from '@cairn/domain-run';
import type { StoredEvent } from '@cairn/kernel';

/** Marks of one branch in an answer: far more than anybody looks at, and a run may have 100,000 of them. */
export const MARKS_MAX = 200;

type Mark = BranchView['marks'][number];

/** The course of a branch in few signs: one for each append that brought something. */
export function marksOf(events: readonly (StoredEvent & RunEvent)[]): Pick<BranchView, 'marks' | 'marksBefore'> {
  const marks: Mark[] = [];
  let first = 0;
  while (first < events.length) {
    const count = Math.max(1, events[first]?.metadata.appendCount ?? 1);
    const mark = markOf(events.slice(first, first + count));
    const before = marks.at(-1);
    if (mark !== undefined && mark.kind === 'failure' && before?.kind === 'failure' && before.name === mark.name) marks.pop();
    if (mark !== undefined) marks.push(mark);
    first += count;
  }
  const marksBefore = Math.max(0, marks.length - MARKS_MAX);
  return { marks: marks.slice(marksBefore), marksBefore };
}

/** A failure weighs more than a success in the same append, and that more than the checkpoint that follows from it. */
function markOf(append: readonly (StoredEvent & RunEvent)[]): Mark | undefined {
  let found: Mark | undefined;
  for (const event of append) {
    const mark = markOfEvent(event);
    if (mark !== undefined && (found === undefined || weight(mark) > weight(found))) found = mark;
  }
  return found;
}

const weight = ({ kind }: Mark): number => ['checkpoint', 'success', 'failure'].indexOf(kind);

function markOfEvent(event: StoredEvent & RunEvent): Mark | undefined {
  const { revision } = event;
  switch (event.type) {
    case 'StepSucceeded':
    case 'StepStubbed':
    case 'WaitSatisfied':
      return { kind: 'success', revision, name: event.data.step };
    case 'StepFailed':
      return { kind: 'failure', revision, name: event.data.step };
    case 'WaitExpired':
      return { kind: 'fail' in event.data.then ? 'failure' : 'success', revision, name: event.data.step };
    case 'CheckpointReached':
      // What a branch begins with is no stone on its way.
      return event.data.kind === 'recovery' ? undefined : { kind: 'checkpoint', revision, name: event.data.name };
    default:
      return undefined;
  }
}
