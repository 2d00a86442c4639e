import { afterEach, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@cairn/kernel';
import { done, MESSAGE_BYTES_MAX, StoreFault, type ConsumerSpec, type IncomingMessage, type Settlement } from '@cairn/ports';
import { PATIENCE_MS, waitUntil } from '@cairn/testkit';
import { headers, type MsgHdrs } from '@nats-io/nats-core';
import { EXCERPT_BYTES_MAX } from './dead-letters.js';
import type { JetStreamBus } from './jetstream-bus.js';
import { busOn, streams, workSpec } from './spec/nats-bus.js';
import { withNats } from './spec/with-nats.js';
import { applyTopology } from './topology.js';

/** Nothing comes again here because a busy machine held us up. */
const ackWaitMs = 2 * PATIENCE_MS;
const dead = { ...workSpec('dead', { ackWaitMs }), busStream: 'CAIRN_DEAD', filters: ['cairn.*.dead.>'] };
const w1 = workSpec('w1', { ackWaitMs });

describe('what strangers put on the bus', () => {
  withNats('foreign input', (world) => {
    let bus: JetStreamBus | undefined;
    afterEach(() => bus?.close());

    /** A consumer of the work queue, what it was given, and the letters of what died there. */
    async function consumer(handle: (message: IncomingMessage) => Promise<Settlement> = async () => done) {
      await applyTopology(world.admin, streams, [w1, dead]);
      const opened = (bus = await busOn(world.nats.url));
      const [got, letters]: [IncomingMessage[], JsonObject[]] = [[], []];
      await opened.consume(w1, (message) => (got.push(message), handle(message)));
      await opened.consume(dead, async ({ body }) => (letters.push(body), done));
      return { bus: opened, got, letters };
    }

    const raw = (subject: string, data: Uint8Array | string, fields?: MsgHdrs): void =>
      world.admin.publish(subject, data, fields === undefined ? {} : { headers: fields });

    const fieldsOf = (values: Readonly<Record<string, string>>): MsgHdrs => {
      const fields = headers();
      for (const [name, value] of Object.entries(values)) fields.set(name, value);
      return fields;
    };
    const ce = (attributes: Readonly<Record<string, string>>): Record<string, string> =>
      Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]));

    it.each<[string, Uint8Array | string, string]>([
      ['no JSON', '{"a":', 'not JSON'],
      ['nothing at all', '', 'not JSON'],
      ['a list', '[1]', 'not a JSON object'],
      ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), 'not UTF-8'],
      ['what was compressed', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0), 'not UTF-8'],
      ['more than a message may have', JSON.stringify({ wide: 'x'.repeat(MESSAGE_BYTES_MAX) }), `at most ${MESSAGE_BYTES_MAX}`],
      ['1 MiB, the most that a server lets through', '{"wide":"'.padEnd(1_048_574, 'x') + '"}', `at most ${MESSAGE_BYTES_MAX}`],
      ['brackets that do not end', '['.repeat(10_000), 'nested deeper'],
      ['brackets that do end, 10,000 deep', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'nested deeper'],
      ['objects 10,000 deep, in a text that looks shallow', `{"\\"":${'{"[":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, 'nested deeper'],
    ])('%s is a dead letter with its reason, and its neighbour goes on (F-36)', async (_, data, reason) => {
      const { bus, got, letters } = await consumer();
      raw('contract.work.bad', data);
      await bus.publish({ subject: 'contract.work.good', id: 'good', body: {} });
      await waitUntil('the letter and the neighbour are there', () => letters.length === 1 && got.length === 1);
      expect(got.map(({ id }) => id)).toEqual(['good']);
      expect(letters[0]).toMatchObject({ durable: 'w1', subject: 'contract.work.bad', deliveries: 1 });
      expect(letters[0]!['reason']).toContain(reason);
      expect(Buffer.byteLength(String(letters[0]!['excerpt']))).toBeLessThanOrEqual(EXCERPT_BYTES_MAX * 3);
    });

    it('brackets within texts are no depth, and very many names are no harm', async () => {
      const { got } = await consumer();
      const names = Array.from({ length: 30_000 }, (_, n) => [`n${n}`, n]);
      raw('contract.work.a', JSON.stringify({ id: 'texts', text: `${'[{'.repeat(5_000)}"\\` }));
      raw('contract.work.b', JSON.stringify({ id: 'names', ...Object.fromEntries(names) }));
      await waitUntil('both came', () => got.length === 2);
      expect(got.map(({ id, body }) => [id, Object.keys(body).length])).toEqual([
        ['texts', 2],
        ['names', 30_001],
      ]);
    });

    it('an event in binary mode comes as it would in structured mode', async () => {
      const { got } = await consumer();
      const attributes = { specversion: '1.0', id: 'e%201', source: '/orders', type: 'shop.order.placed.v1', cairnkey: 'K%c3%bc' };
      const data = { total: 12 };
      raw('contract.work.a', JSON.stringify(data), fieldsOf({ ...ce(attributes), 'content-type': 'application/json' }));
      await waitUntil('it came', () => got.length === 1);
      const body = { ...attributes, id: 'e 1', cairnkey: 'K\u00fc', datacontenttype: 'application/json', data };
      expect(got[0]).toEqual({ subject: 'contract.work.a', id: 'e 1', body, deliveries: 1, asked: false });
    });

    it('who must tell a sender that it cannot be read is asked before it is a dead letter, and again after a fault', async () => {
      await applyTopology(world.admin, streams, [w1, dead]);
      const told: unknown[] = [];
      const letters: JsonObject[] = [];
      const onUnreadable = async (reason: string, { durable }: ConsumerSpec, { subject, id, body }: IncomingMessage): Promise<void> => {
        told.push([reason, durable, subject, id, body, letters.length]);
        if (told.length === 1) throw new StoreFault('store_unavailable', 'away');
      };
      const opened = (bus = await busOn(world.nats.url, { onUnreadable }));
      await opened.consume(w1, async () => done);
      await opened.consume(dead, async ({ body }) => (letters.push(body), done));
      raw('contract.work.a', '{"a":', fieldsOf({ ...ce({ specversion: '1.0', id: 'e1' }), 'Content-Type': 'application/json' }));
      await waitUntil('the letter is there', () => letters.length === 1);
      const attributes = { specversion: '1.0', id: 'e1', datacontenttype: 'application/json' };
      const telling = ['the body is not JSON', 'w1', 'contract.work.a', 'e1', attributes, 0];
      expect(told).toEqual([telling, telling]);
      expect(letters[0]).toMatchObject({ id: 'e1', reason: 'the body is not JSON' });
    });

    it('a message of a stock client, without any header, has the id of its event, else that of its place', async () => {
      const { got } = await consumer();
      raw('contract.work.a', '{"specversion":"1.0","id":"e-7"}');
      raw('contract.work.b', '{"id":7}');
      await waitUntil('both came', () => got.length === 2);
      expect(got.map(({ id }) => id)).toEqual(['e-7', 'CONTRACT_WORK.2']);
    });

    it.each(['contract.work.forged', '$JS.API.STREAM.DELETE.CONTRACT_WORK', '_INBOX.>', 'a b'])(
      'nobody is answered at %s, whatever a header says',
      async (target) => {
        const { bus, got } = await consumer(async () => ({ kind: 'done', answer: { forged: true } }));
        const fields = headers();
        fields.set('Cairn-Answer-To', target);
        raw('contract.work.a', '{}', fields);
        await waitUntil('it came', () => got.length === 1);
        await bus.publish({ subject: 'contract.work.last', id: 'last', body: {} }); // Behind whatever was published for the answer.
        await waitUntil('the last came', () => got.some(({ id }) => id === 'last'));
        expect(got.map(({ subject, asked }) => [subject, asked])).toEqual([
          ['contract.work.a', false],
          ['contract.work.last', false],
        ]);
      },
    );

    it('a message that always meets a bug dies with the reason, once, and is quoted (F-35)', async () => {
      const { bus, got, letters } = await consumer(async ({ subject }) => {
        if (subject.endsWith('poison')) throw new TypeError('planted');
        return done;
      });
      await bus.publish({ subject: 'contract.work.poison', id: 'p', body: { word: 'quoted' } });
      await bus.publish({ subject: 'contract.work.good', id: 'good', body: {} });
      await waitUntil('it is dead', () => letters.length === 1);
      expect(got.filter(({ id }) => id === 'p').map(({ deliveries }) => deliveries)).toEqual([1, 2, 3]);
      expect(letters[0]).toMatchObject({
        id: 'p',
        deliveries: 3,
        reason: '3 bugs in 3 deliveries, the last: planted',
        excerpt: '{"word":"quoted"}',
      });
    });

    it('a message that is refused with an answer tells who asked, and dies', async () => {
      const { bus, letters } = await consumer(async () => ({ kind: 'never', reason: 'malformed', answer: { code: 'no' } }));
      expect(await bus.ask({ subject: 'contract.work.a', id: 'q', body: {} }, PATIENCE_MS)).toEqual({ code: 'no' });
      await waitUntil('the letter is there', () => letters.length === 1);
      expect(letters[0]).toMatchObject({ id: 'q', reason: 'malformed' });
    });
  });
});
