import { idOf, runStream, sealAppend, type JsonObject, type StoredEvent } from '@cairn/kernel';
import { describe, expect, it } from '@jest/globals';
import { OpenAttempts } from './open-attempts.js';

const RUN = idOf('run', 'default', 'w', 'k');

function event(branch: string, type: string, data: JsonObject, causationId: string): StoredEvent {
  const stream = runStream(RUN, branch);
  const context = { stream, expected: 'no_stream', prevHash: '', ns: 'default', runId: RUN, branch, actor: 'service:spec' } as const;
  const [sealed] = sealAppend({ ...context, at: '2026-01-01T00:00:00.000Z', causationId }, [{ type, version: 1, data }]);
  return sealed!;
}
const announcement = event('main', 'BranchSuperseded', { successor: 'b2', spec: { carried: { attempts: ['carried'] } } }, 'c1');
const startedBy = (causationId: string, attemptId: string): StoredEvent =>
  event('b2', 'StepStarted', { step: 's', attemptId }, causationId);
const announced = (open: OpenAttempts): string[] => [...open.announced()].map(([, { branch }]) => branch);

describe('a branch that was announced (F-54)', () => {
  it('has not begun by what else starts on it: a carried step may be retried before', () => {
    const open = new OpenAttempts();
    open.fold(announcement);
    open.fold(startedBy('another', 'retried'));
    expect(announced(open)).toEqual(['b2']);
    open.fold(startedBy(announcement.eventId, 'own'));
    expect(announced(open)).toEqual([]);
    expect([...open.of(RUN)].sort()).toEqual(['own', 'retried']);
  });

  it('is remembered over a snapshot, and forgotten when its run ends', () => {
    const before = new OpenAttempts();
    before.fold(announcement);
    const open = before.fresh();
    open.deserialize(before.lines().join('\n'));
    expect(announced(open)).toEqual(['b2']);
    open.fold(event('b2', 'RunCancelled', {}, 'c2'));
    expect(announced(open)).toEqual([]);
  });
});
