import type { ShadowEnded } from '../branches/events.js';
import type { Draft } from '../draft.js';
import { leaveIntentsUnknown } from '../effects/settle.js';
import type { RunEvent } from '../events.js';
import { isOpenReview } from '../reviews/evolve.js';

type RunEndEvent = Extract<RunEvent, { type: 'RunCompleted' | 'RunGaveUp' | 'RunFailed' | 'RunCancelled' }>;

/** Ends the run: what is still open is withdrawn in the same append (I-30), effects under way are unknown; open attempts are closed by the end itself. */
export function endRun(draft: Draft, end: RunEndEvent): void {
  if (draft.state.shadow !== null) return draft.add({ type: 'ShadowEnded', version: 1, data: asOfShadow(end) });
  for (const [waitId, wait] of [...draft.state.path.waits.entries()].sort(byStep)) {
    if (wait.open) draft.add({ type: 'WaitWithdrawn', version: 1, data: { waitId, step: wait.step, because: 'run_ended' } });
  }
  for (const [reviewId, review] of [...draft.state.path.reviews.entries()].sort(byStep)) {
    if (isOpenReview(review))
      draft.add({ type: 'ReviewWithdrawn', version: 1, data: { reviewId, step: review.step, because: 'run_ended' } });
  }
  leaveIntentsUnknown(draft, 'the run has ended');
  draft.add(end);
}

/** A shadow ends no run: what would have ended it is where the shadow stops. */
function asOfShadow(end: RunEndEvent): ShadowEnded['data'] {
  if (end.type === 'RunCompleted') return { ...end.data, stops: [] };
  const step = end.type === 'RunCancelled' ? undefined : end.data.step;
  const says =
    end.type === 'RunFailed' ? `${end.data.bucket}: ${end.data.message}` : end.type === 'RunGaveUp' ? end.data.rule : 'cancelled';
  return { outcome: 'stopped', stops: [{ ...(step === undefined ? {} : { step }), says }] };
}

/** The definition cannot go on as written, or says that this is a failure. */
export function failRun(draft: Draft, step: string | undefined, bucket: string, message: string): void {
  endRun(draft, { type: 'RunFailed', version: 1, data: { ...(step === undefined ? {} : { step }), bucket, message } });
}

/** Map order is that of hashes; an append's order is part of the storage format. */
const byStep = ([, a]: readonly [string, { readonly step: string }], [, b]: readonly [string, { readonly step: string }]): number =>
  a.step < b.step ? -1 : 1;
