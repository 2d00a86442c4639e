import { describe, expect, it } from '@jest/globals';
import { canon, JSON_DEPTH_MAX, type Json, type JsonObject } from '@cairn/kernel';
import { DATA_FIELDS_MAX } from './check-data.js';
import { parseEvent } from './parse-event.js';

const IN = 'cairn.acme.in.dms.document.received';
const RUN = '127wymmz6kac0vhns9g9sfk3s1';
const good = { specversion: '1.0', id: 'e1', source: '/dms', type: 'dms.document.received.v1', data: { kind: 'w8' } };

/** What its receipt would say: accepted for what it is, or refused with these rules; no receipt at all is `undefined`. */
function verdict(subject: string, body: JsonObject): 'accepted' | readonly string[] | undefined {
  const parsed = parseEvent(subject, body);
  if (!parsed.ok) return undefined;
  const { refusal } = parsed.parsed;
  return refusal === undefined ? 'accepted' : (refusal.errors ?? []).map(({ pointer, rule }) => `${pointer} ${rule}`);
}

const nested = (depth: number): Json => {
  let value: Json = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};

describe('an event on the bus', () => {
  it.each<[string, string, JsonObject]>([
    ['without a version', IN, { ...good, type: 'dms.document.received' }],
    ['of version 999, which matching ignores (B-41)', IN, { ...good, type: 'dms.document.received.v999' }],
    ['of a clock ten years ahead (B-41)', IN, { ...good, time: '2036-11-24T00:00:00Z' }],
    ['without data', IN, { specversion: '1.0', id: 'e1', source: '/dms', type: 'dms.document.received' }],
    ['with an attribute that we do not know (B-8)', IN, { ...good, tenant: 'acme', partner: 7, test: true }],
    ['of the greatest depth', IN, { ...good, data: nested(JSON_DEPTH_MAX) }],
    ['to a workflow', 'cairn.acme.run.start.onboarding', good],
    ['to a run', `cairn.acme.run.${RUN}.signal.hold`, good],
  ])('%s is accepted', (_, subject, body) => {
    expect(verdict(subject, body)).toBe('accepted');
  });

  it.each<[string, string, JsonObject, readonly string[]]>([
    ['of another specversion (B-41)', IN, { ...good, specversion: '999' }, ['/specversion specversion']],
    ['whose type is not where it was sent', IN, { ...good, type: 'dms.document.lost' }, ['/type subject']],
    ['whose type is no type', IN, { ...good, type: 'a b' }, ['/type type']],
    ['whose type would be a command of the protocol (B-11)', IN, { ...good, type: 'a 1\r\nx\r\nPUB b' }, ['/type type']],
    ['whose key would be (B-11)', IN, { ...good, cairnkey: 'a 1\r\nx\r\nPUB b' }, ['/cairnkey key']],
    ['whose time is none', IN, { ...good, time: 'yesterday' }, ['/time time']],
    ['of another media type (B-9)', IN, { ...good, datacontenttype: 'application/xml' }, ['/datacontenttype media_type']],
    ['with binary data', IN, { ...good, data_base64: 'AA==' }, ['/data_base64 media_type']],
    ['that is nested too deep (F-36)', IN, { ...good, data: nested(10_000) }, ['/data depth']],
    ['with too many fields (B-4)', IN, { ...good, data: Object.fromEntries(Array(DATA_FIELDS_MAX + 1).fill(0).map((_, n) => [`k${n}`, n])) }, ['/data too_many']], // prettier-ignore
    ['with a number beyond all (B-4)', IN, { ...good, data: JSON.parse('[1e999]') as Json }, ['/data number']],
    ['with a field that reaches a prototype (B-5)', IN, { ...good, data: JSON.parse('{"__proto__":1}') as Json }, ['/data field_name']],
    ['with half a character (B-7)', IN, { ...good, data: { x: '\ud800' } }, ['/data text']],
    ['with half a character in an extension (B-7)', IN, { ...good, tenant: '\ud800' }, ['/tenant extension']],
    ['with an object for an extension', IN, { ...good, tenant: {} }, ['/tenant extension']],
    ['with a name of an extension that is none', IN, { ...good, 'a/~\ud800': 1 }, ['/a~1~0\ufffd extension']],
    ['whose run is no id (B-10)', 'cairn.acme.run.%2e%2e.signal.hold', good, [' subject']],
    ['whose run is a stream (B-12)', 'cairn.acme.run.$ce-run.signal.hold', good, [' subject']],
    ['on a subject that says nothing', 'cairn.acme.run.start', good, [' subject']],
  ])('%s is refused on its receipt', (_, subject, body, rules) => {
    expect(verdict(subject, body)).toEqual(rules);
    const parsed = parseEvent(subject, body);
    expect(() => canon(parsed)).not.toThrow(); // It can be stored, whatever it was.
  });

  it('with more extensions than can be kept is refused, tells a few of its errors and keeps a few of its attributes', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`x${n}`, n % 2 === 0 ? n : 'y'.repeat(2_000)]));
    const parsed = parseEvent(IN, { ...good, ...many });
    const rules = verdict(IN, { ...good, ...many });
    expect(rules?.slice(0, 2)).toEqual([' too_many', '/x1 extension']);
    expect(rules).toHaveLength(20);
    expect(JSON.stringify(parsed).length).toBeLessThan(10_000);
  });

  it.each<[string, string, JsonObject]>([
    ['nothing of an event (B-41)', IN, {}],
    ['no id', IN, { ...good, id: '' }],
    ['an id that is no text', IN, { ...good, id: 7 }],
    ['no source', IN, { ...good, source: null }],
    ['no namespace', 'cairn.ACME.in.a.b', { ...good, type: 'a.b' }],
  ])('with %s has no receipt', (_, subject, body) => {
    expect(verdict(subject, body)).toBeUndefined();
  });

  it('is called what its subject says where it has no type of its own', () => {
    const typeOn = (subject: string): unknown => {
      const parsed = parseEvent(subject, { ...good, type: 'A B' });
      return parsed.ok && parsed.parsed.event.type;
    };
    expect([typeOn(IN), typeOn('cairn.acme.run.x'), typeOn(`cairn.acme.run.${RUN}.signal.hold`)]).toEqual([
      'dms.document.received',
      'untyped',
      'cairn.run.signal.hold.v1',
    ]);
  });
});
