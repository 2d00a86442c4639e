import { describe, expect, it } from '@jest/globals';
import { idOf } from '@cairn/kernel';
import { PROBLEM_TYPE_BASE, problemOf, problemStatus } from './problems.js';
import { reviewBodies } from './reviews.js';
import { checkBody, inboundEventSchema, replySchema, startRunSchema } from './schemas.js';

const ID = idOf('attempt', 'x', 'a', 1);

describe('a problem', () => {
  it.each(Object.entries(problemStatus))('of code %s has status %i and its code in kebab case as type', (code, status) => {
    expect(problemOf(code, 'A sentence.')).toMatchObject({
      code,
      status,
      type: PROBLEM_TYPE_BASE + code.replaceAll('_', '-'),
      detail: 'A sentence.',
    });
  });

  it('keeps the code of a rejection that has no row, and answers 422', () => {
    expect(problemOf('trigger_closed', 'No.', { clause: 'deadline' })).toMatchObject({
      status: 422,
      code: 'trigger_closed',
      clause: 'deadline',
    });
    expect(problemOf('constructor', 'No.').status).toBe(422);
  });
});

describe('a body that is checked', () => {
  it('of what may be one of several name what is wrong with the nearest', () => {
    const decision = { subjectDigest: '0'.repeat(64), revision: 0, verdict: 'edit', reason: 'so' };
    const errorsOf = (edit: unknown): unknown => {
      const checked = checkBody(reviewBodies.decide as Parameters<typeof checkBody<unknown>>[0], { ...decision, edits: [edit] });
      return checked.kind === 'bad' ? checked.errors : 'ok';
    };
    expect(errorsOf({ op: 'replace', path: '/a', value: 1 })).toBe('ok');
    expect(errorsOf({ op: 'replace', path: 7, value: 1 })).toMatchObject([{ pointer: '/edits/0/path', rule: 'invalid_type' }]);
    expect(errorsOf({ op: 'move', path: '/a', from: '/b' })).toMatchObject([
      { pointer: '/edits/0/op', says: expect.stringContaining('remove') },
    ]);
  });

  it('has all of its faults named at once, and none of its values repeated', () => {
    const checked = checkBody(startRunSchema, { key: '\u0000s3cr3t', attributes: { 'Not a name': {} }, extra: 1, more: 2 });
    expect(checked).toMatchObject({ kind: 'bad' });
    const errors = checked.kind === 'bad' ? checked.errors : [];
    expect(errors.map(({ pointer }) => pointer)).toEqual(expect.arrayContaining(['/key', '/attributes/Not a name', '/extra', '/more']));
    expect(JSON.stringify(errors)).not.toContain('s3cr3t');
  });

  it('keeps the attributes of an event that nobody knows, and refuses one that breaks a known one', () => {
    const event = { specversion: '1.0', id: '1', source: '/a', type: 'a.b', comexample: 'kept' };
    expect(checkBody(inboundEventSchema, event)).toEqual({ kind: 'ok', value: event });
    expect(checkBody(inboundEventSchema, { ...event, time: 'yesterday' })).toMatchObject({
      kind: 'bad',
      errors: [{ pointer: '/time', rule: 'invalid_time' }],
    });
  });

  it('may be a reply of success or of failure, never of both', () => {
    const data = { lease: { attemptId: ID, branch: 'main', epoch: 1 } };
    const reply = { specversion: '1.0', id: `${ID}:end`, source: '/h' };
    expect(checkBody(replySchema, { ...reply, type: 'cairn.reply.succeeded.v1', data: { ...data, output: null } }).kind).toBe('ok');
    expect(checkBody(replySchema, { ...reply, type: 'cairn.reply.failed.v1', data: { ...data, failure: { message: 'no' } } }).kind).toBe(
      'ok',
    );
    expect(
      checkBody(replySchema, { ...reply, type: 'cairn.reply.succeeded.v1', data: { ...data, output: 1, failure: { message: 'no' } } }),
    ).toMatchObject({
      kind: 'bad',
      errors: [{ pointer: '/data/failure', rule: 'unknown_field' }],
    });
    expect(checkBody(replySchema, { ...reply, kind: 'succeeded', data })).toMatchObject({
      kind: 'bad',
      errors: [{ pointer: '/type', says: 'must be one of cairn.reply.succeeded.v1, cairn.reply.failed.v1' }],
    });
  });
});
