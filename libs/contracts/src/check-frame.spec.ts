import { describe, expect, it } from '@jest/globals';
import { idOf } from '@cairn/kernel';
import { checkFrame } from './check-frame.js';

const frame = (more: object): object => ({
  session: idOf('random', 'session'),
  seq: 1,
  handler: 'h/1',
  queues: { q: 1 },
  held: [],
  replies: [],
  ...more,
});

describe('a frame that says where its sender can be asked for', () => {
  it('is one of the line alone', () => {
    const body = frame({ alive: '_INBOX.abc.alive' });
    expect(checkFrame(body, 100, 'line').kind).toBe('ok');
    expect(checkFrame(body, 100)).toMatchObject({ kind: 'bad', errors: [{ pointer: '/alive', rule: 'unknown_field' }] });
  });

  // Whoever may send frames must not have others publish where it may not.
  it.each(['$JS.API.STREAM.PURGE.CAIRN_RUN', 'cairn.default.cmd.execution.1.start-run', '_INBOX', '_INBOX.*', '_INBOX.>', '_INBOX. a', 7])(
    'must name an inbox: %j',
    (alive) =>
      expect(checkFrame(frame({ alive }), 100, 'line')).toMatchObject({
        kind: 'bad',
        errors: [{ pointer: '/alive', rule: 'invalid_subject' }],
      }),
  );
});
