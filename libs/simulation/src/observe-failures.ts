import { parseOccurrence, type RecordedRunEvent } from '@cairn/domain-run';
import { policyStream, type StoredEvent } from '@cairn/kernel';
import type { Covered } from './coverage.js';
import { NS } from './world/names.js';
import type { World } from './world/world.js';

/** Counts what one run's history shows of failures, effects, pauses and cancellations. */
export function observeFailures({ coverage, store }: World, stored: readonly StoredEvent[]): void {
  const events = stored as readonly unknown[] as readonly RecordedRunEvent[];
  const retryAfter = new Set<string>();
  const unknown = new Set<string>();
  let paused = false;
  let cancelled = false;
  let mid = false;
  for (const event of events) {
    switch (event.type) {
      case 'StepFailed': {
        const { failure, attemptId } = event.data;
        if (failure.by === 'timeout') coverage.note('attempt timed out');
        if (failure.retryAfter !== undefined) retryAfter.add(attemptId);
        if (failure.by === 'decider' && failure.message.startsWith('effect key')) coverage.note('effect key refused');
        break;
      }
      case 'StepSucceeded':
        if (paused) coverage.note('settled while paused');
        if (parseOccurrence(event.data.step).part === 'reconcile') coverage.note(reconciledAs(event.data.output));
        break;
      case 'RetryDecided': {
        const { attemptId, decision, notBefore, policy, justification } = event.data;
        coverage.note(`${decision} decided`);
        if (decision === 'retry' && retryAfter.has(attemptId) && notBefore !== undefined) coverage.note('retryAfter honoured');
        for (const limit of ['attempts', 'perStep', 'perRun', 'elapsed'] as const)
          if (justification.rule.includes(`; ${limit} `)) coverage.note(`limit ${limit} reached`);
        if ((store.allStreams().get(policyStream(NS, policy.name))?.length ?? 0) > policy.revision + 1)
          coverage.note('judged by an older version');
        break;
      }
      case 'AttemptTaken':
        coverage.note('claim granted');
        break;
      case 'EffectIntended':
        if (unknown.has(event.data.key)) coverage.note('unknown effect made again');
        break;
      case 'EffectConfirmed':
        coverage.note('effect confirmed');
        break;
      case 'EffectAbsent':
        coverage.note('effect absent');
        break;
      case 'EffectUnknown':
        coverage.note('effect unknown');
        unknown.add(event.data.key);
        mid ||= event.data.because === 'the run has ended';
        break;
      case 'RunPaused':
        coverage.note('run paused');
        paused = true;
        break;
      case 'RunUnpaused':
        coverage.note('run unpaused');
        paused = false;
        break;
      case 'RunCancelled':
        cancelled = true;
        break;
      default:
    }
  }
  if (cancelled && mid) coverage.note('cancel mid-effect');
}

function reconciledAs(output: unknown): Covered {
  const { found } = output as { readonly found?: unknown };
  if (found === null) return 'reconciled, nobody can tell';
  return found === true ? 'reconciled as found' : 'reconciled as absent';
}
