import { describe, expect, it } from '@jest/globals';
import { MESSAGE_BYTES_MAX } from '@cairn/ports';
import { headers, type Msg } from '@nats-io/nats-core';
import { gzipSync } from 'node:zlib';
import { read } from './event-modes.js';

type Fields = Readonly<Record<string, string | readonly string[]>>;

/** What the reader sees of a message. */
function message(fields: Fields, data: string | Uint8Array = ''): Msg {
  const set = headers();
  for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) set.append(name, value);
  return { headers: set, data: typeof data === 'string' ? new TextEncoder().encode(data) : data } as unknown as Msg;
}

const event = { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-source': '/s', 'ce-type': 'a.b' };
const attributes = { specversion: '1.0', id: 'e1', source: '/s', type: 'a.b' };

describe('the modes of CloudEvents on the bus', () => {
  it.each<[string, Fields, string | Uint8Array, object]>([
    ['no header at all', {}, '{"id":"x"}', { id: 'x' }],
    ['structured', { 'content-type': 'application/cloudevents+json; charset=utf-8' }, '{"id":"x"}', { id: 'x' }],
    ['structured, which Content-Type decides', { ...event, 'Content-Type': 'application/cloudevents+json' }, '{"id":"x"}', { id: 'x' }],
    ['plain JSON without ce-specversion', { 'content-type': 'application/json', 'ce-id': 'no' }, '{"id":"x"}', { id: 'x' }],
    ['binary without data', event, '', attributes],
    ['binary without a type of data', event, '[1]', { ...attributes, data: [1] }],
    [
      'binary with a type of ours',
      { ...event, 'content-type': 'application/json' },
      '{"a":1}',
      data('application/json', { data: { a: 1 } }),
    ],
    ['binary with +json', { ...event, 'content-type': 'application/x+json' }, 'null', data('application/x+json', { data: null })],
    [
      'binary with a character set',
      { ...event, 'Content-Type': 'application/json; charset=utf-8' },
      '1',
      data('application/json; charset=utf-8', { data: 1 }),
    ],
    [
      'binary with the type as an attribute',
      { ...event, 'ce-datacontenttype': 'text/xml' },
      '<a/>',
      data('text/xml', { data_base64: 'PGEvPg==' }),
    ],
    ['binary with bytes', { ...event, 'content-type': 'image/png' }, Uint8Array.of(255, 0), data('image/png', { data_base64: '/wA=' })],
    ['names in any case', { 'CE-SpecVersion': '1.0', 'Ce-Id': 'e1' }, '', { specversion: '1.0', id: 'e1' }],
    ['percent-encoded', { ...event, 'ce-subject': '%e2%82%ac%20%25' }, '', { ...attributes, subject: '\u20ac %' }],
    ['an attribute that is called like a word of ours', { ...event, 'ce-unreadable': 'yes' }, '', { ...attributes, unreadable: 'yes' }],
    ['an encoding that is none', { ...event, 'content-encoding': 'identity' }, '', attributes],
  ])('%s', (_, fields, bytes, body) => {
    expect(read(message(fields, bytes))).toEqual({ body });
  });

  it.each<[string, Fields, string | Uint8Array, string]>([
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, '[]', 'application/cloudevents-batch+json is not understood'],
    ['another format', { ...event, 'content-type': 'application/cloudevents+avro' }, 'x', 'application/cloudevents+avro is not understood'],
    ['data that is not the JSON it says it is', { ...event, 'content-type': 'application/json' }, '{', 'the body is not JSON'],
    ['half a character', { ...event, 'ce-subject': '%e2%82' }, '', 'the header ce-subject is not percent-encoded UTF-8'],
    ['a bare per cent', { ...event, 'ce-subject': '100%' }, '', 'the header ce-subject is not percent-encoded UTF-8'],
    ['data as an attribute', { ...event, 'ce-data': '1' }, '', 'the header ce-data is no attribute of CloudEvents'],
    ['a name that reaches a prototype', { ...event, 'ce-__proto__': '1' }, '', 'the header ce-__proto__ is no attribute of CloudEvents'],
    ['an attribute twice', { ...event, 'ce-id': ['e1', 'e2'] }, '', 'the header ce-id stands more than once'],
    [
      'a gzip bomb',
      { ...event, 'content-encoding': 'gzip' },
      gzipSync(Buffer.alloc(50_000_000)),
      'content-encoding gzip is not understood',
    ],
    ['data beyond the bounds', event, ' '.repeat(MESSAGE_BYTES_MAX + 1), `${MESSAGE_BYTES_MAX + 1} bytes, at most ${MESSAGE_BYTES_MAX}`],
    [
      'bytes beyond the bounds',
      { ...event, 'content-type': 'image/png' },
      ' '.repeat(MESSAGE_BYTES_MAX + 1),
      `${MESSAGE_BYTES_MAX + 1} bytes, at most ${MESSAGE_BYTES_MAX}`,
    ],
  ])('%s is no event, and is said why', (_, fields, bytes, unreadable) => {
    expect(read(message(fields, bytes))).toMatchObject({ unreadable });
  });

  it('of an event whose data cannot be read its attributes are told', () => {
    expect(read(message({ ...event, 'content-encoding': 'br' }, '{'))).toMatchObject({ attributes });
    expect(read(message({ 'content-encoding': 'br' }, '{"id":"x"}'))).toMatchObject({ attributes: { id: 'x' } });
  });
});

function data(datacontenttype: string, its: object): object {
  return { ...attributes, datacontenttype, ...its };
}
