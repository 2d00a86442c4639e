import type { Receipt } from '@cairn/contracts';
import type { Paint } from './paint.js';
import { brief, oneLine, tail } from './show.js';

/** A receipt for people: what the event did, or why nothing happened. */
export function receiptText(receipt: Receipt, paint: Paint): string {
  if (receipt.outcome === 'pending') return pendingText(receipt, paint);
  const runs = receipt.runs.map(({ run, wait }) => `run ${tail(run)}${wait === undefined ? '' : ` (${wait})`}`).join(', ');
  const lines = [
    `${paint.state(receipt.outcome)}${runs === '' ? '' : ` ${runs}`}  ${oneLine(`${receipt.type} from ${receipt.source}`)}`,
    `  receipt ${receipt.receiptId}`,
    ...(receipt.keptUntil === undefined ? [] : [`  kept until ${receipt.keptUntil}`]),
    ...(receipt.duplicateOf === undefined ? [] : [`  the same as ${receipt.duplicateOf}`]),
    ...receipt.nearMisses.map(
      ({ run, wait, clause, expected, got }) =>
        `  near miss: ${paint.style('yellow', `${clause}: expected ${brief(expected)}, got ${brief(got)}`)} (run ${tail(run)}, wait ${oneLine(wait)})`,
    ),
    ...(receipt.problem === undefined ? [] : [`  refused: ${oneLine(receipt.problem.detail)}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Nobody has said yet whether it was taken: it counts once, however often it is sent. */
function pendingText({ receiptId, source, id, type }: Receipt, paint: Paint): string {
  return [
    `${paint.state('pending')}  ${oneLine(`${type} from ${source}`)}`,
    `  receipt ${receiptId}: nothing is said of it yet; look with npx cairn event show ${receiptId}`,
    `  or send it again with --source ${oneLine(source)} --id ${oneLine(id)}: it counts once`,
    '',
  ].join('\n');
}
