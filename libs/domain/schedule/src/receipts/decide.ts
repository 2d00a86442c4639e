import { accepted, nothing, rejected, type Decision, type Id, type Rejection } from '@cairn/kernel';
import type { EventReceived, Problem, ReceiptEvent, ReceiptLine, ReceiptSettled } from './events.js';
import type { ReceiptState } from './evolve.js';

export type ReceiptRejection = Rejection<'receipt_not_found'>;

/**
 * Accepts an event, once for ever: the stream of its receipt is the de-duplication (I-28). The same id with the same body changes
 * nothing; with another body it leaves one `refused` line and the first event stays what it is. An event that is refused for what
 * it is (`refusal`) is settled in the same append.
 */
export function receiveEvent(
  state: ReceiptState | undefined,
  event: EventReceived['data'],
  refusal?: Problem,
): Decision<ReceiptEvent, ReceiptRejection> {
  if (state === undefined) {
    const received: EventReceived = { type: 'EventReceived', version: 1, data: event };
    return accepted(refusal === undefined ? [received] : [received, settled(event.receiptId, refused(refusal))]);
  }
  if (!conflicts(state, event)) return nothing('duplicate');
  const problem = {
    code: 'idempotency_conflict',
    detail: `source and id were used before with another body; the first one is ${state.event.bodyDigest.slice(0, 12)}`,
  };
  return settleReceipt(state, [refused(problem)]);
}

/** Whether an event claims the id of another one. */
export const conflicts = (state: ReceiptState, event: EventReceived['data']): boolean => state.event.bodyDigest !== event.bodyDigest;

/** Adds what is new among these lines. A line that says what an earlier one said changes nothing, so settling can be repeated. */
export function settleReceipt(state: ReceiptState | undefined, lines: readonly ReceiptLine[]): Decision<ReceiptSettled, ReceiptRejection> {
  if (state === undefined) return rejected({ code: 'receipt_not_found', detail: 'a receipt begins with its event' });
  const fresh = lines.filter(
    (line, i) => !state.lines.some((said) => says(said, line)) && !lines.slice(0, i).some((said) => says(said, line)),
  );
  if (fresh.length === 0) return nothing('unchanged');
  return accepted(fresh.map((line) => settled(state.event.receiptId, line)));
}

/** The line of an event that is not acted upon. */
export const refused = (problem: Problem): ReceiptLine => ({ outcome: 'refused', runs: [], nearMisses: [], problem });

const settled = (receiptId: Id, line: ReceiptLine): ReceiptSettled => ({
  type: 'ReceiptSettled',
  version: 1,
  data: { receiptId, ...line },
});

/** Whether the first line says all that matters of the second. Near misses tell of a moment: they are not told twice. */
function says(said: ReceiptLine, line: ReceiptLine): boolean {
  if (said.outcome !== line.outcome || said.problem?.code !== line.problem?.code) return false;
  return line.runs.every((run) =>
    said.runs.some((known) => known.run === run.run && known.branch === run.branch && known.wait === run.wait),
  );
}
