import type { RunCommand } from '@cairn/domain-run';
import { epochMsOf, type Id } from '@cairn/kernel';
import type { OpenWait } from '../working-set/open-waits.js';
import type { DueRetry } from '../working-set/due-retries.js';
import type { SchedulingSet } from '../working-set/scheduling-set.js';
import type { Timed } from './due-heap.js';

/** Something that has a time, and what execution is asked when it has come. */
export interface Due extends Timed {
  /** Equal for equal dues: each is in the heap once. */
  readonly key: string;
  readonly ns: string;
  readonly runId: Id;
  readonly kind: 'timer' | 'deadline' | 'stale' | 'retry';
  readonly causationId: Id;
  readonly command: RunCommand;
  /** How long to wait when execution says that it is early: grows from ring to ring. */
  readonly pauseMs?: number;
}

/** Every time that a wait still has to keep. */
export function duesOfWait(wait: OpenWait): Due[] {
  const { ns, runId, waitId, openedBy: causationId } = wait;
  const common = { ns, runId, causationId };
  // By the opening, not by the wait: one that is rescheduled is opened again under its id, with times of its own.
  const dues: Due[] = [];
  for (const [trigger, stored] of wait.triggers.entries()) {
    if (stored.kind !== 'timer' || wait.gotTriggers.has(trigger)) continue;
    const command: RunCommand = { type: 'WakeRun', data: { kind: 'timer', waitId, trigger } };
    dues.push({ ...common, key: `timer ${causationId} ${trigger}`, kind: 'timer', at: epochMsOf(stored.at), command });
  }
  if (wait.deadline !== null) {
    dues.push({
      ...common,
      key: `deadline ${causationId}`,
      kind: 'deadline',
      at: epochMsOf(wait.deadline),
      command: { type: 'ExpireWait', data: { waitId } },
    });
  }
  if (wait.staleAt !== null && !wait.stale) {
    dues.push({
      ...common,
      key: `stale ${causationId}`,
      kind: 'stale',
      at: epochMsOf(wait.staleAt),
      command: { type: 'MarkStale', data: { waitId } },
    });
  }
  return dues;
}

export function dueOfRetry({ ns, runId, attemptId, decidedBy, notBefore }: DueRetry): Due {
  const command: RunCommand = { type: 'WakeRun', data: { kind: 'retry', attemptId } };
  return { key: `retry ${attemptId}`, ns, runId, kind: 'retry', at: epochMsOf(notBefore), causationId: decidedBy, command };
}

/** Whether the history still lacks what this due is about. */
export function isPending(set: SchedulingSet, due: Due): boolean {
  const { data } = due.command;
  if ('attemptId' in data) return set.retries.get(data.attemptId) !== undefined;
  const wait = 'waitId' in data ? set.waits.get(data.waitId) : undefined;
  return wait !== undefined && duesOfWait(wait).some(({ key }) => key === due.key);
}
