import { instantOf, nothing, rejected, type Decision, type Instant } from '@cairn/kernel';
import type { RescheduleWait, WhenDue } from '../commands.js';
import { concluded } from '../concluded.js';
import type { Draft } from '../draft.js';
import type { RunEvent } from '../events.js';
import { reachCheckpoint } from '../recovery/checkpoint.js';
import type { RunRejection } from '../rejections.js';
import type { WaitEntry } from '../state.js';
import type { WaitOpened } from './events.js';

/**
 * A person moves a wait's deadline, or the time from which it is stale: the wait closes and opens again under its id, in one append, with
 * what has come kept (`capabilities.md` §7.1). The trail shows both.
 */
export function rescheduleWait(draft: Draft, { data }: RescheduleWait): Decision<RunEvent, RunRejection> {
  if (draft.state.ledger.controls.includes(draft.context.causationId)) return nothing('duplicate');
  const { waitId, reason } = data;
  const wait = draft.state.path.waits.get(waitId);
  if (wait === undefined) return rejected({ code: 'wait_not_found', detail: `no wait ${waitId} in this run` });
  if (!wait.open) return rejected({ code: 'wait_closed', detail: `${wait.step} waits for nothing any more` });
  const { opened } = wait;
  const deadline = data.deadline === undefined ? opened.deadline : dueAt(draft, data.deadline);
  const staleAt = data.stale === undefined ? opened.staleAt : dueAt(draft, data.stale);
  if (deadline === opened.deadline && staleAt === opened.staleAt) return nothing('unchanged');

  draft.add({ type: 'WaitWithdrawn', version: 1, data: { waitId, step: wait.step, because: 'rescheduled', reason } });
  reachCheckpoint(draft, {
    name: opened.restores,
    kind: 'wait',
    step: wait.step,
    claim: { says: `${wait.step} waits on, with other times`, artifacts: [] },
  });
  draft.add({ type: 'WaitOpened', version: 1, data: reopened(wait, deadline, staleAt, reason) });
  return concluded(draft);
}

const dueAt = ({ context }: Draft, due: WhenDue | null): Instant | null => {
  if (due === null) return null;
  return 'at' in due ? due.at : instantOf(context.now + due.afterMs);
};

function reopened({ opened }: WaitEntry, deadline: Instant | null, staleAt: Instant | null, reason: string): WaitOpened['data'] {
  const { noDeadline, contract, ...rest } = opened;
  const clauses = contract.clauses.filter(({ id }) => id !== 'deadline');
  return {
    ...rest,
    deadline,
    staleAt,
    // What the definition says of a deadline; it may have declared none.
    onDeadline: deadline === null ? rest.onDeadline : (rest.onDeadline ?? { fail: 'timeout' }),
    ...(deadline === null ? { noDeadline: noDeadline ?? { because: reason, by: 'operator' } } : {}),
    contract: { ...contract, clauses: deadline === null ? clauses : [...clauses, { id: 'deadline', says: `before ${deadline}` }] },
  };
}
