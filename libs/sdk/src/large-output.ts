import { OUTPUT_BYTES_MAX, type ReplyFailure } from '@cairn/contracts';
import { ArtifactError, type ArtifactStore } from './artifacts.js';
import { cutMessage } from './cut-text.js';
import type { Outcome } from './handler.js';
import type { Attempt } from './task.js';

type Succeeded = Extract<Outcome, { kind: 'succeeded' }>;

const JSON_TYPE = 'application/json';

/** Whether the output is too large for a reply. A character is at most three bytes, so short texts need no count. */
export function isLarge(outcome: Outcome): outcome is Succeeded {
  if (outcome.kind !== 'succeeded' || outcome.output.length * 3 <= OUTPUT_BYTES_MAX) return false;
  return Buffer.byteLength(outcome.output) > OUTPUT_BYTES_MAX;
}

/** Puts the output into the artifact store; the outcome that names it there, or how the attempt failed. Never rejects. */
export async function outputPut(store: ArtifactStore, attempt: Attempt, { output, options }: Succeeded): Promise<Outcome> {
  try {
    const ref = await store.put(output, JSON_TYPE, AbortSignal.timeout(Math.max(1, attempt.timeLeft())));
    return { kind: 'succeeded', output: JSON.stringify(ref), options };
  } catch (error) {
    const isRefused = error instanceof ArtifactError && error.code !== 'artifact_unavailable';
    const code = isRefused ? 'invalid_output' : 'artifact_unavailable';
    const message = cutMessage(`the output could not be stored: ${error instanceof Error ? error.message : 'no answer'}`);
    // What the handler did, it did.
    const sideEffect: Partial<ReplyFailure> = attempt.effect === undefined ? {} : { sideEffect: 'applied' };
    return { kind: 'failed', failure: { bucket: isRefused ? 'invalid_output' : 'network', code, message, ...sideEffect } };
  }
}
