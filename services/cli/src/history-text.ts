import type { HistoryView, StoredEventView } from '@cairn/contracts';
import { changesText, type Change } from './changes-text.js';
import { eventLine } from './event-line.js';
import type { Paint } from './paint.js';
import { oneLine } from './show.js';

/** A history for people: branch after branch, each with what it was opened for. */
export function historyText({ branches, next }: HistoryView, paint: Paint): string {
  const lines = branches.flatMap(({ branch, events }) => [
    ...headOf(branch, events, paint),
    ...events.map((event) => eventLine(event, paint)),
    ...(events.length === 0 && branch !== 'main' ? [paint.style('dim', `(nothing of ${branch} from here on)`)] : []),
  ]);
  if (next !== undefined) lines.push(paint.style('dim', `more: --from ${next}`));
  return lines.map((line) => `${line}\n`).join('');
}

interface Opened {
  readonly parent: { readonly branch: string; readonly revision: number };
  readonly cause: string;
  readonly reason: string;
  readonly changes: readonly Change[];
  readonly actor: string;
}

function headOf(branch: string, [first]: readonly StoredEventView[], paint: Paint): string[] {
  if (first?.type !== 'BranchOpened') return [];
  const { parent, cause, reason, changes, actor } = first.data as unknown as Opened;
  return [
    '',
    paint.style('bold', `${branch} from ${parent.branch}@${parent.revision}: ${oneLine(cause)}, by ${oneLine(actor)}`),
    `  because  ${oneLine(reason)}`,
    ...changesText(changes).map((change) => `  changed  ${change}`),
    '',
  ];
}
