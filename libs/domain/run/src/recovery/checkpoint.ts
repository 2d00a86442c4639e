import type { Draft } from '../draft.js';
import { stateDigest } from '../state-digest.js';
import type { CheckpointClaim, CheckpointKind } from './events.js';

/** Reaches a checkpoint: claim and digest of the state just before it. Where one is due is decided by who calls. */
export function reachCheckpoint(
  draft: Draft,
  checkpoint: {
    readonly name: string;
    readonly kind: CheckpointKind;
    readonly step: string;
    readonly claim: Omit<CheckpointClaim, 'usage'>;
  },
): void {
  const spend = draft.state.ledger.spend.get(checkpoint.step);
  draft.add({
    type: 'CheckpointReached',
    version: 1,
    data: {
      name: checkpoint.name,
      kind: checkpoint.kind,
      step: checkpoint.step,
      claim: { ...checkpoint.claim, usage: { usd: spend?.usd ?? 0, tokensIn: spend?.tokensIn ?? 0, tokensOut: spend?.tokensOut ?? 0 } },
      digestVersion: 1,
      stateDigest: stateDigest(draft.state),
    },
  });
}
