import { canon, type Json, type JsonObject, sha256Hex } from '@cairn/kernel';
import { pathRun, stateDigest } from './state-digest.js';
import type { RunState, StepOutput } from './state.js';

/** A state as JSON, slice by slice as the digest counts them (outputs whole), with its digest: `GET runs/{id}/state`. */
export function stateView(state: RunState): JsonObject {
  const { path, ledger, status } = state;
  return {
    run: state.runId,
    branch: state.branch,
    revision: state.revision,
    state: status.state,
    sub: status.sub,
    since: status.since,
    path: {
      run: Object.fromEntries(pathRun(state)),
      steps: mapped(path.steps.toObject(), ({ attempts, output, status: step }) => ({
        status: step,
        attempts,
        output: outputView(output),
      })),
      attempts: mapped(path.attempts.toObject(), ({ step, n, taken }) => ({ step, n, taken })),
      waits: mapped(path.waits.toObject(), ({ step, open, got }) => ({ step, open, got: got.map(({ eventId }) => eventId) })),
      retries: Object.fromEntries(
        [...path.retries.entries()].flatMap(([attemptId, { decision, notBefore }]) =>
          decision === null ? [] : [[attemptId, { decision, notBefore }]],
        ),
      ),
      reviews: mapped(path.reviews.toObject(), ({ step, status: review, subjectDigest }) => ({ step, status: review, subjectDigest })),
      plans: {},
      assumptions: {},
      checkpoints: path.checkpoints.toObject(),
      carried: mapped(path.carried.toObject(), () => true),
      scope: path.scope.toObject(),
    },
    ledger: {
      effects: mapped(ledger.effects.toObject(), ({ suffix, status, fingerprint, result }) => ({ suffix, status, fingerprint, result })),
      used: ledger.used.toObject(),
      spend: mapped(ledger.spend.toObject(), ({ attempts, usd, tokensIn, tokensOut }) => ({ attempts, usd, tokens: tokensIn + tokensOut })),
      late: ledger.late.toObject(),
      branches: mapped(ledger.branches.toObject(), ({ head, epoch, ended }) => ({ head, epoch, ended })),
      notifications: {},
    },
    stateDigest: stateDigest(state),
  };
}

/** An output as JSON; one that is held by reference shows where its bytes lie. */
export function outputView(output: StepOutput | null): Json {
  if (output === null) return null;
  return 'value' in output ? output.value : { ...output.ref };
}

/** `sha256:<hex>` of a value's canonical JSON. */
export const digestOfValue = (value: Json): string => `sha256:${sha256Hex(canon(value))}`;

function mapped<V>(object: Record<string, V>, view: (value: V) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, view(value)]));
}
