import type { CommandAnswer } from '@cairn/contracts';
import { matchTrigger, type Match } from '@cairn/domain-definition';
import type { WakeRun } from '@cairn/domain-run';
import type { NearMissLine, Problem, ReceiptRun } from '@cairn/domain-schedule';
import { idOf, type Json } from '@cairn/kernel';
import type { ExecutionDesk } from '../execution-desk.js';
import type { Mutants } from '../mutants.js';
import type { OpenWait } from '../working-set/open-waits.js';
import { inboundEventOf, wakingEventOf, type Inbound } from './inbound.js';
import { problemFrom } from './starts.js';

/** What became of one event and one open wait. */
export type WakeResult =
  | { readonly kind: 'woke' | 'late'; readonly run: ReceiptRun }
  /** The wait's step has used this event before, or has no use for it: nothing to tell. */
  | { readonly kind: 'unused' }
  | { readonly kind: 'near'; readonly miss: NearMissLine }
  | { readonly kind: 'refused'; readonly run: ReceiptRun; readonly problem: Problem };

/** The first trigger of the wait that the event matches, else why the closest one does not. */
export function matchWait(wait: OpenWait, inbound: Inbound): { readonly trigger: number } | { readonly miss?: NearMissLine } {
  const event = inboundEventOf(inbound);
  let near: Extract<Match, { kind: 'no' }> | undefined;
  for (const [index, trigger] of wait.triggers.entries()) {
    if (trigger.kind === 'timer' || (trigger.kind === 'signal' && inbound.receipt.event.key !== wait.runId)) continue;
    if (trigger.kind === 'callback' && event.callback?.waitId !== wait.waitId) continue;
    const match = matchTrigger(trigger, event);
    if (match.kind === 'match') return { trigger: index };
    if (match.near) near ??= match;
  }
  return near === undefined ? {} : { miss: missOf(wait, near) };
}

/** Offers an event to an open wait that it matches. Throws `BusFault`: it may have woken it, and must be offered again. */
export class Waker {
  constructor(
    private readonly desk: ExecutionDesk,
    private readonly mutants: Mutants,
  ) {}

  async wake(wait: OpenWait, trigger: number, inbound: Inbound, kept: boolean): Promise<WakeResult> {
    const { ns, runId, waitId } = wait;
    const event = wakingEventOf(inbound, kept);
    // M-11: each offer of one event counts as another event.
    const offered = this.mutants.has('M-11')
      ? { ...event, receiptId: idOf('receipt', ns, event.source, `${event.id}#${this.desk.fresh()}`) }
      : event;
    const command: WakeRun = { type: 'WakeRun', data: { kind: 'event', waitId, trigger, event: offered } };
    const result = resultOf(await this.desk.ask(ns, runId, command, inbound.receiptId), wait);
    wait.answered.add(inbound.receiptId);
    if (result.kind === 'woke') wait.gotTriggers.add(trigger); // The tail will say so too, later.
    return result;
  }
}

function resultOf(answer: CommandAnswer, wait: OpenWait): WakeResult {
  const run: ReceiptRun = { run: wait.runId, branch: wait.branch, wait: wait.step };
  switch (answer.kind) {
    case 'accepted':
      return { kind: 'woke', run };
    case 'nothing':
      return answer.because === 'late' ? { kind: 'late', run } : { kind: 'unused' };
    case 'rejected': {
      const { rejection } = answer;
      if (rejection.code === 'clause_broken') {
        const { clause = 'guard', expected = null, got = null } = rejection;
        return { kind: 'near', miss: { run: wait.runId, wait: wait.step, clause, expected: expected as Json, got: got as Json } };
      }
      if (rejection.code === 'run_ended' || rejection.code === 'run_not_found' || rejection.code === 'wait_not_found')
        return { kind: 'late', run };
      return { kind: 'refused', run, problem: problemFrom(rejection) };
    }
  }
}

function missOf(wait: OpenWait, { clause, expected, got }: Extract<Match, { kind: 'no' }>): NearMissLine {
  return { run: wait.runId, wait: wait.step, clause, expected, got };
}
