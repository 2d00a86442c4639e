import { describe, expect, it } from '@jest/globals';
import { idOf, partitionOf } from '@cairn/kernel';
import type { Task } from '../leases/task.js';
import { replyMessage, taskMessage } from './work.js';

const [runId, attemptId] = [idOf('run', 'default', 'w', 'k'), idOf('random', 'attempt')];

describe('messages about work', () => {
  it('a task goes to its queue under its ring, and is worth nothing when its lease time has passed', () => {
    const task = { ns: 'acme', queue: 'screen', attemptId, leaseMs: 60_000, event: { id: attemptId } } as unknown as Task;
    expect(taskMessage(task, 3)).toEqual({
      subject: 'cairn.acme.work.screen',
      id: `${attemptId}:3`,
      body: { id: attemptId },
      expiresMs: 60_000,
    });
  });

  it('a reply goes on to its partition under the id that its handler gave it, and says whose it is', () => {
    const reply = { specversion: '1.0', id: `${attemptId}:end`, source: '/h', type: 'cairn.reply.succeeded.v1' } as const;
    expect(replyMessage('acme', runId, reply)).toEqual({
      subject: `cairn.acme.reply.${partitionOf(runId)}`,
      id: reply.id,
      body: { ...reply, cairnns: 'acme', cairnrun: runId },
    });
  });
});
