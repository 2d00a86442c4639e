import { describe, expect, it } from '@jest/globals';
import type { CloudEvent, ReplyData, ReplyFailure } from '@cairn/contracts';
import { actorOf, replyCommand } from './reply.js';

const reply = (data: Partial<ReplyData>): CloudEvent<ReplyData> => ({
  specversion: '1.0',
  id: 'a:end',
  source: '/h/1',
  type: 'cairn.reply.failed.v1',
  data: { lease: { attemptId: 'a', branch: 'main', epoch: 1 }, ...data },
});
const failure = (more: Partial<ReplyFailure> = {}): object => {
  const { result } = replyCommand(reply({ failure: { message: 'no', ...more } }), undefined).data;
  return result.kind === 'failed' ? result.failure : result;
};

describe('a failed reply as a command', () => {
  it('keeps its usage: a failed try costs, too', () => {
    expect(replyCommand(reply({ failure: { message: 'no' }, usage: { usd: 0.5 } }), undefined).data).toMatchObject({
      usage: { usd: 0.5 },
      result: { kind: 'failed' },
    });
  });

  it('says of side effects only what the handler said', () => {
    expect(failure()).toEqual({ by: 'handler', message: 'no' });
    expect(failure({ sideEffect: 'applied' })).toMatchObject({ sideEffect: 'applied' });
  });

  it('drops a retryAfter that is no instant, and cuts what is too long', () => {
    expect(failure({ retryAfter: 'soon' })).not.toHaveProperty('retryAfter');
    expect(failure({ retryAfter: '2026-01-01T00:00:00Z' })).toMatchObject({ retryAfter: '2026-01-01T00:00:00.000Z' });
    expect(failure({ message: 'x'.repeat(3_000) })).toMatchObject({ message: expect.stringMatching(/^x{2000,} *… \(cut\)$/) });
    expect(failure({ details: { body: 'x'.repeat(9_000) } })).toMatchObject({ details: { cut: expect.stringContaining('(cut)') } });
  });
});

describe('actorOf', () => {
  it.each([
    ['/screening/7', 'handler:screening/7'],
    ['user:local', 'handler:user:local'],
    ['a\nservice:execution', 'handler:unknown'],
    ['', 'handler:unknown'],
    [undefined, 'handler:unknown'],
    ['x'.repeat(200), 'handler:unknown'],
  ])('%j is %s', (source, actor) => expect(actorOf(source)).toBe(actor));
});
