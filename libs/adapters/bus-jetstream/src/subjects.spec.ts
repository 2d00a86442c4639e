import { describe, expect, it } from '@jest/globals';
import { deadSubject, isInbox, mustBeSubject } from './subjects.js';

describe('subjects that leave the process', () => {
  it.each(['cairn.default.in.dms.document.received', 'cairn.a.cmd.execution.12.start-run', 'contract.work.a', 'a'])(
    'takes %s',
    (subject) => {
      expect(() => mustBeSubject(subject)).not.toThrow();
    },
  );

  it.each([
    ['nothing', ''],
    ['an empty token', 'a..b'],
    ['a dot first', '.a'],
    ['a dot last', 'a.'],
    ['a wildcard for one token', 'a.*'],
    ['a wildcard in a token', 'a.b*'],
    ['a wildcard for the rest', 'a.>'],
    ['a space, which would set a reply subject', 'a.b evil.reply'],
    ['a line break, which would forge a message', 'a.b 1\r\nx\r\nPUB a.injected'],
    ['a tab', 'a.\tb'],
    ['NUL', 'a.\0b'],
    ['a letter beyond ASCII', 'a.ü'],
    ['a private-use surrogate', 'a.\ud800'],
    ['the server’s own', '$JS.API.STREAM.DELETE.CAIRN_RUN'],
    ['somebody’s inbox', '_INBOX.abc'],
    ['5,000 characters, which would end the connection', `a.${'b'.repeat(5_000)}`],
  ])('refuses %s', (_, subject) => {
    expect(() => mustBeSubject(subject)).toThrow(expect.objectContaining({ code: 'bad_subject' }));
  });

  it.each(['_INBOX.abc.7', '_INBOX_execution.abc.7'])('answers to %s', (inbox) => expect(isInbox(inbox)).toBe(true));
  it.each(['cairn.a.cmd.execution.1.cancel-run', '$JS.API.STREAM.PURGE.CAIRN_RUN', '_INBOX', '_INBOX.>', '_INBOX.a b', '_INBOX.a.*', ''])(
    'answers nobody at %s',
    (subject) => expect(isInbox(subject)).toBe(false),
  );

  it('buries in the namespace of the message, or in none', () => {
    expect(deadSubject('cairn.acme.in.x', 'scheduling__intake')).toBe('cairn.acme.dead.scheduling__intake');
    expect(deadSubject('cairn', 'd')).toBe('cairn.none.dead.d');
    expect(deadSubject('cairn.A*.x', 'd')).toBe('cairn.none.dead.d');
  });
});
