// Goal: any event on the bus has a receipt or a dead letter, and does what the receipt says. Method: a real nats-server, scheduling and
// execution as they are, a publisher with a stock connection.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { bundleStream, idOf, instantOf, runStream, sealAppend, type Id, type JsonObject } from '@cairn/kernel';
import { MESSAGE_BYTES_MAX } from '@cairn/ports';
import { findNatsServer, notRun, RunningNats, waitUntil } from '@cairn/testkit';
import { IntakeWorld } from './spec/intake-world.js';

/** Starts by event, waits for a document of the same key or a signal. */
const approval = {
  cairn: 1,
  name: 'approval',
  version: '1.0.0',
  on: [{ event: 'vendor.requested', key: '${event.data.vendor}', input: { vendor: '${event.data.vendor}' } }],
  steps: [
    {
      id: 'document',
      wait: {
        any: [{ event: { type: 'document.received', key: '${run.key}', where: "event.data.kind == 'w8'" } }, { signal: 'skip' }],
        deadline: '2h',
        onDeadline: { value: 'none' },
        staleAfter: '1h',
      },
    },
  ],
  output: { value: '${steps.document.output}' },
};

const event = (id: string, type: string, data: JsonObject, more: JsonObject = {}): JsonObject => ({
  specversion: '1.0',
  id,
  source: '/erp',
  type,
  data,
  ...more,
});
const requested = (vendor: string, more: JsonObject = {}): JsonObject => event(`r-${vendor}`, 'vendor.requested.v1', { vendor }, more);
const received = (vendor: string, more: JsonObject = {}): JsonObject =>
  event(`d-${vendor}`, 'document.received', { kind: 'w8' }, { cairnkey: vendor, ...more });
const found = findNatsServer();

describe('events on the bus', () => {
  if ('missing' in found) {
    it('on a real server', () => notRun('events on the bus', found.missing));
    return;
  }
  let nats: RunningNats;
  let world: IntakeWorld;
  beforeAll(async () => {
    nats = await RunningNats.start(found.path);
    world = await IntakeWorld.start(nats.url);
  });
  beforeEach(async () => {
    world.nextStory();
    await world.apply(approval);
  });
  afterAll(async () => {
    await world.stop();
    await nats.dispose();
  });

  /** A subject of this story's namespace. */
  const at = (tail: string): string => `cairn.${world.ns}.${tail}`;
  const runOf = (vendor: string): Id => idOf('run', world.ns, 'approval', vendor);

  /** Publishes an event on the subject of its type, and its receipt. */
  async function sent(body: JsonObject, subject = at(`in.${String(body['type']).replace(/\.v\d+$/, '')}`)) {
    world.publish(subject, body);
    return world.receipt(String(body['source']), String(body['id']));
  }

  async function started(vendor: string): Promise<Id> {
    expect(await sent(requested(vendor))).toMatchObject({ outcome: 'started', runs: [{ run: runOf(vendor), branch: 'main' }] });
    await world.waiting(runOf(vendor));
    return runOf(vendor);
  }

  it('start and resume a run, structured and without any header, and are told on the subject of their receipt', async () => {
    const run = await started('V-1');
    expect(await world.receiptsTold('/erp', 'r-V-1')).toMatchObject([
      {
        ns: world.ns,
        receiptId: idOf('receipt', world.ns, '/erp', 'r-V-1'),
        outcome: 'started',
        count: 1,
        runs: [{ run, branch: 'main' }],
      },
    ]);
    expect(await sent(received('V-1'))).toMatchObject({ outcome: 'woke', runs: [{ run, wait: 'document' }] });
    await waitUntil('the run is complete', async () => (await world.events(run)).at(-1)?.type === 'RunCompleted');
  });

  it('count once, however often they come; whoever sends one again is told its receipt again (B-14, B-19)', async () => {
    const run = await started('V-1');
    expect(await sent(received('V-1'))).toMatchObject({ outcome: 'woke' });
    await waitUntil('the run is complete', async () => (await world.events(run)).at(-1)?.type === 'RunCompleted');
    const before = await world.events(run);
    await world.receiptsTold('/erp', 'd-V-1');
    for (let i = 0; i < 3; i++) world.publish(at('in.document.received'), received('V-1'));
    const told = await world.receiptsTold('/erp', 'd-V-1', 4);
    expect(told.map(({ outcome }) => outcome)).toEqual(['woke', 'woke', 'woke', 'woke']);
    // Another one for the wait that is satisfied: it says so and changes nothing.
    expect(await sent(received('V-1', { id: 'd-late' }))).toMatchObject({ outcome: 'kept', runs: [] });
    expect(await world.events(run)).toEqual(before);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['of CloudEvents', { 'Content-Type': 'application/cloudevents+json; charset=utf-8' }],
    ['of plain JSON', { 'content-type': 'application/json' }],
    ['of a message id and a trace', { 'Nats-Msg-Id': 'm-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }],
  ])('are read with a header %s', async (_, fields) => {
    world.publish(at('in.vendor.requested'), requested('V-2'), fields);
    expect(await world.receipt('/erp', 'r-V-2')).toMatchObject({ outcome: 'started', runs: [{ run: runOf('V-2') }] });
  });

  it('are read in binary mode: attributes in headers, percent-encoded, and the data for a body', async () => {
    const fields = {
      'ce-specversion': '1.0',
      'ce-id': 'b%20ü',
      'ce-source': '/erp',
      'ce-type': 'vendor.requested.v1',
      'content-type': 'application/json',
    };
    world.publish(at('in.vendor.requested'), { vendor: 'V-3' }, { ...fields, 'ce-id': 'b%20%C3%BC' });
    expect(await world.receipt('/erp', 'b ü')).toMatchObject({ outcome: 'started', runs: [{ run: runOf('V-3') }] });
    world.publish(at('in.vendor.requested'), Uint8Array.of(1, 2, 3), { ...fields, 'ce-id': 'b2', 'content-type': 'image/png' });
    expect(await world.receipt('/erp', 'b2')).toMatchObject({
      outcome: 'refused',
      problem: { code: 'event_invalid', errors: expect.arrayContaining([expect.objectContaining({ rule: 'media_type' })]) },
    });
  });

  it('go to one run by its own subjects: a signal, a start, a pause', async () => {
    const run = await started('V-4');
    const signal = event('s1', 'anything', {});
    expect(await sent(signal, at(`run.${run}.signal.skip`))).toMatchObject({ outcome: 'woke', runs: [{ run }] });
    const start = event('s2', 'anything', { key: 'V-5', input: { vendor: 'V-5' } });
    expect(await sent(start, at('run.start.approval'))).toMatchObject({ outcome: 'started', runs: [{ run: runOf('V-5') }] });
    expect(await sent(event('s3', 'anything', {}), at(`run.${runOf('V-5')}.pause`))).toMatchObject({ outcome: 'attached' });
  });

  it.each<[string, string, JsonObject, string, string]>([
    ['subject and type that disagree', 'in.vendor.lost', requested('V-6'), 'subject_mismatch', 'subject'],
    ['another specversion (B-41)', 'in.vendor.requested', requested('V-6', { specversion: '999' }), 'event_invalid', 'specversion'],
    ['another media type (B-9)', 'in.vendor.requested', requested('V-6', { datacontenttype: 'text/xml' }), 'event_invalid', 'media_type'],
    ['a run of `*` (B-10)', 'run.%2e%2e.signal.skip', requested('V-6'), 'event_invalid', 'subject'],
    ['a stream for a run (B-12)', 'run.$$run-1.signal.skip', requested('V-6'), 'event_invalid', 'subject'],
    ['a key with a line break (B-11)', 'in.vendor.requested', requested('V-6', { cairnkey: 'a 1\r\nx\r\nPUB b' }), 'event_invalid', 'key'],
    [
      'a run key with a line break (B-11)',
      'in.vendor.requested',
      event('r-V-6', 'vendor.requested', { vendor: 'a\r\nPUB b' }),
      'start_key_invalid',
      'key',
    ],
  ])('with %s are refused on their receipt, and nothing else happens', async (_, tail, body, code, rule) => {
    const subject = at(tail);
    expect(await sent(body, subject)).toMatchObject({ outcome: 'refused', runs: [], problem: { code, errors: [{ rule }] } });
    expect(await world.receiptsTold('/erp', 'r-V-6')).toMatchObject([{ outcome: 'refused', problem: { code } }]);
    const others = world.published.filter((published) => published !== subject && !published.includes('.evt.receipt.'));
    expect(others).toEqual([at('cmd.scheduling.apply-definition')]);
  });

  it('for a run that is not there, or of another namespace, are refused (B-41)', async () => {
    const run = await started('V-7');
    expect(await sent(event('s1', 'x', {}), at(`run.${runOf('nobody')}.signal.skip`))).toMatchObject({
      outcome: 'refused',
      problem: { code: 'run_not_found' },
    });
    const other = `${world.ns}other`;
    world.publish(`cairn.${other}.run.${run}.signal.skip`, event('s2', 'x', {}));
    expect(await world.receipt('/erp', 's2', other)).toMatchObject({ outcome: 'refused', problem: { code: 'run_not_found' } });
    expect((await world.events(run)).map(({ type }) => type)).not.toContain('WaitTriggered');
  });

  it('for a run that was imported are refused as such, whatever they ask; nothing reaches execution, and the next event is taken', async () => {
    const run = runOf('V-9');
    const stream = bundleStream(run);
    const context = {
      stream,
      expected: 'no_stream',
      prevHash: '',
      ns: world.ns,
      at: instantOf(0),
      actor: 'user:spec',
      causationId: 'spec',
    } as const;
    await world.store.append(stream, 'no_stream', sealAppend(context, [{ type: 'BundleImported', version: 1, data: { runId: run } }]));
    for (const verb of ['cancel', 'pause', 'unpause', 'signal.skip']) {
      const told = { outcome: 'refused', runs: [], problem: { code: 'run_imported' } };
      expect(await sent(event(verb, 'anything', {}), at(`run.${run}.${verb}`))).toMatchObject(told);
      expect(await world.receiptsTold('/erp', verb)).toMatchObject([told]);
    }
    expect(world.published.filter((subject) => subject.includes('.cmd.execution.'))).toEqual([]);
    expect(await world.unsettledCommands()).toBe(0);
    const other = `${world.ns}other`;
    world.publish(`cairn.${other}.run.${run}.cancel`, event('elsewhere', 'anything', {}));
    expect(await world.receipt('/erp', 'elsewhere', other)).toMatchObject({ outcome: 'refused', problem: { code: 'run_not_found' } });
    await started('V-10');
  });

  it('of a clock ten years ahead count from when they came (B-41)', async () => {
    const run = await started('V-8');
    const receipt = await sent(received('V-8', { time: '2036-11-24T00:00:00Z' }));
    expect(receipt).toMatchObject({ outcome: 'woke', runs: [{ run }] });
    expect(Math.abs(Date.parse(receipt.at) - Date.now())).toBeLessThan(60_000);
  });

  it('that bear the id of another one are refused, and the first stays what it was (B-13)', async () => {
    await started('V-9');
    const other = { ...requested('V-9'), data: { vendor: 'V-10' } };
    for (const told of [2, 3]) {
      world.publish(at('in.vendor.requested'), other);
      await world.receiptsTold('/erp', 'r-V-9', told);
    }
    expect(await world.receiptsTold('/erp', 'r-V-9')).toMatchObject([
      { outcome: 'started' },
      { outcome: 'refused', problem: { code: 'idempotency_conflict' } },
      { outcome: 'refused', problem: { code: 'idempotency_conflict' } },
    ]);
    expect(await world.receipt('/erp', 'r-V-9')).toMatchObject({ outcome: 'started', count: 2 });
    expect(await world.events(runOf('V-10'))).toEqual([]);
  });

  it('with addresses in them make nobody call: a start that asks for one is refused (B-36)', async () => {
    let calls = 0;
    const canary = createServer((socket) => (calls++, socket.destroy())).listen(0, '127.0.0.1');
    await new Promise((listening) => canary.once('listening', listening));
    const { port } = canary.address() as AddressInfo;
    const hosts = ['127.0.0.1', '[::1]', '0x7f.1', '2130706433', 'localhost.', '169.254.169.254', 'user@127.0.0.1'];
    const urls = [...hosts.map((host) => `http://${host}:${port}/`), 'file:///etc/passwd', `//127.0.0.1:${port}`, 'http://10.0.0.1:6379/'];
    for (const [n, resultTo] of urls.entries()) {
      const start = event(`u${n}`, 'x', { key: `U-${n}`, input: {}, resultTo });
      expect(await sent(start, at('run.start.approval'))).toMatchObject({
        outcome: 'refused',
        problem: { errors: [{ pointer: '/data/resultTo', rule: 'unknown_field' }] },
      });
    }
    expect(await sent(requested('V-11', { dataschema: `http://127.0.0.1:${port}/` }))).toMatchObject({ outcome: 'started' });
    await new Promise((closed) => canary.close(closed));
    expect(calls).toBe(0);
  });

  it.each<[string, string | Uint8Array | JsonObject, RegExp]>([
    ['nothing of an event (B-41)', {}, /^event_invalid: \/specversion .*; \/id text: id is plain text/],
    ['no id', { ...requested('V-12'), id: '' }, /^event_invalid: \/id text: id is plain text of 1 to 512 characters$/],
    ['no source', { ...requested('V-12'), source: 5 }, /^event_invalid: \/source text: /],
    ['no JSON (F-36)', '{"specversion":"1.0",', /not JSON/],
    ['bytes that were compressed (F-36)', gzipSync('x'.repeat(1_000_000)), /UTF-8/],
    ['brackets that do not end (F-36)', '['.repeat(10_000), /nested/],
    [
      'brackets in brackets, 10,000 deep (F-36)',
      JSON.stringify(requested('V-12')).replace('"V-12"', '['.repeat(10_000) + ']'.repeat(10_000)),
      /nested/,
    ],
    [
      'more than a message may have (B-42)',
      JSON.stringify(event('big', 'vendor.requested', { x: 'x'.repeat(MESSAGE_BYTES_MAX) })),
      /at most/,
    ],
  ])('of %s become a dead letter that names the rule', async (_, body, reason) => {
    world.publish(at('in.vendor.requested'), body);
    const letter = await world.deadLetter(at('in.vendor.requested'));
    expect(letter).toMatchObject({ subject: at('in.vendor.requested'), deliveries: 1, reason: expect.stringMatching(reason) });
    expect(Buffer.byteLength(letter.excerpt)).toBeLessThan(8_000);
    await started('V-13'); // The door stands.
  });

  it('that nest a hundred deep are refused on their receipt', async () => {
    const text = JSON.stringify(requested('V-14')).replace('"V-14"', '['.repeat(100) + ']'.repeat(100));
    world.publish(at('in.vendor.requested'), text);
    expect(await world.receipt('/erp', 'r-V-14')).toMatchObject({
      outcome: 'refused',
      problem: { errors: [{ pointer: '/data', rule: 'depth' }] },
    });
  });

  it.each<[string, JsonObject]>([
    ['cmd.execution.3.start-run', {}],
    [
      'cmd.execution.3.version-999',
      { id: 'c', ns: 'acme', runId: idOf('run', 'acme', 'x', 'y'), type: 'Version999', actor: 'x', causationId: 'y', data: {} },
    ],
    ['reply.3', {}],
    ['cmd.scheduling.version-999', {}],
  ])('are told from commands and replies: what is none of ours on %s becomes a dead letter (B-41)', async (tail, body) => {
    const subject = at(tail);
    world.publish(subject, body);
    expect(await world.deadLetter(subject)).toMatchObject({ subject });
    await started('V-15'); // The door stands.
  });

  it('of more than a server takes are an error before they are sent (B-42)', async () => {
    expect(() => world.publish(at('in.vendor.requested'), 'x'.repeat(1_048_577))).toThrow(/max_payload/i);
    await started('V-16');
  });

  it('for a run whose history is newer than this release leave it as it is, and no other run waits for it (I-4)', async () => {
    const run = await started('V-17');
    const last = (await world.events(run)).at(-1);
    const context = {
      stream: runStream(run, 'main'),
      expected: last?.revision ?? 0,
      prevHash: last?.metadata.hash ?? '',
      ns: world.ns,
      runId: run,
      branch: 'main',
      at: last?.at ?? '',
      actor: 'service:execution',
      causationId: 'x',
    } as const;
    await world.store.append(
      context.stream,
      context.expected,
      sealAppend(context, [{ type: 'RunPaused', version: 999, data: { by: 'later' } }]),
    );
    const before = await world.events(run);
    const other = await started('V-18');
    // What this process believes of the run ends at an older revision, so its next append meets the newer event.
    world.publish(at('in.document.received'), received('V-17'));
    await waitUntil('execution leaves the command be', async () => (await world.unsettledCommands()) === 1);
    expect(await sent(received('V-18'))).toMatchObject({ outcome: 'woke', runs: [{ run: other }] });
    expect(await world.events(run)).toEqual(before);
  });
});
