// Goal: a link that a task was given ends the wait once, whoever has it, and nothing else does (C-WAITKINDS, B-30, I-20). Method: all services
// on a libSQL file, the spec as handler and as whoever got the mail.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { GivenServer } from './spec/given-server.js';

const definition = {
  cairn: 1,
  name: 'onboarding',
  version: '1.0.0',
  class: 'long',
  goal: 'the vendor has answered',
  steps: [
    {
      id: 'mail',
      task: { queue: 'mails' },
      input: { text: '${input.greeting}', link: 'https://portal.example/v1/callbacks/${callbacks.documents.portal}' },
      params: { plain: '${callbacks.documents.portal}' },
    },
    { id: 'prepare', task: { queue: 'prepares' } },
    {
      id: 'documents',
      purpose: 'the vendor sends its papers',
      wait: {
        any: [
          {
            callback: {
              name: 'portal',
              schema: { type: 'object', properties: { status: { type: 'string' } }, required: ['status'], additionalProperties: false },
            },
          },
          { event: { type: 'vendor.paper.received', key: '${input.vendor}' } },
        ],
        deadline: '1h',
        staleAfter: '30m',
        onDeadline: { value: 'nothing' },
      },
    },
    { id: 'check', task: { queue: 'checks' }, input: { got: '${steps.documents.output}' } },
  ],
};

interface Event extends JsonObject {
  readonly type: string;
  readonly data: JsonObject;
}
interface Got {
  readonly status: number;
  readonly json: JsonObject;
  readonly text: string;
}

let given: GivenServer;
beforeAll(async () => {
  given = await GivenServer.start(definition);
});
afterAll(() => given.stop());

/** As somebody who has nothing but the link. */
async function follow(method: string, token: string, body?: Json, headers: Record<string, string> = {}): Promise<Got> {
  const answer = await fetch(new URL(`/v1/callbacks/${token}`, given.server.url), {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, text, json: text.startsWith('{') ? (JSON.parse(text) as JsonObject) : {} };
}
const historyOf = (run: string): Promise<JsonObject> => given.get(`runs/${run}/history`);
const eventsOf = async (run: string): Promise<readonly Event[]> =>
  ((await historyOf(run)) as unknown as { branches: readonly { events: readonly Event[] }[] }).branches.flatMap(({ events }) => events);

async function taskOf(queue: string, run: string): ReturnType<GivenServer['take']> {
  for (;;) {
    const task = await given.take(queue);
    if ((task as unknown as JsonObject)['cairnrun'] === run) return task;
    await given.answer(task, null);
  }
}

/** A run whose mail is written: with the link that was in it. */
async function mailed(
  vendor: string,
  greeting = 'Hello',
): Promise<{ readonly run: string; readonly token: string; readonly input: JsonObject }> {
  const { runId } = (await given.call('POST', 'workflows/onboarding/runs', { key: vendor, input: { vendor, greeting } })).json;
  const run = String(runId);
  const mail = await taskOf('mails', run);
  const input = mail.data.input as JsonObject;
  const token = String((mail.data.params as JsonObject)['plain']);
  expect(input['link']).toBe(`https://portal.example/v1/callbacks/${token}`);
  await given.answer(mail, 'sent');
  return { run, token, input };
}
async function waiting(vendor: string): Promise<{ readonly run: string; readonly token: string }> {
  const { run, token } = await mailed(vendor);
  await given.answer(await taskOf('prepares', run), null);
  await waitUntil('the run waits', async () => (await given.get(`runs/${run}`))['state'] === 'waiting');
  return { run, token };
}

describe('a link of a callback', () => {
  it('ends the wait once: a second use is answered like the first, whatever it brings, and changes nothing', async () => {
    const { run, token } = await waiting('V-1');
    const first = await follow('POST', token, { status: 'received' });
    expect([first.status, first.json['accepted']]).toEqual([202, true]);
    const check = await taskOf('checks', run);
    expect(check.data.input).toMatchObject({ got: { trigger: 0, data: { status: 'received' } } });
    const before = await eventsOf(run);
    for (const again of [{ status: 'received' }, { status: 'other' }, 'no object', undefined]) {
      const got = await follow('POST', token, again);
      expect([got.status, got.json]).toEqual([202, first.json]);
    }
    expect(await eventsOf(run)).toEqual(before);
    const receipt = await given.get(`events/${String(first.json['receiptId'])}`);
    expect(receipt).toMatchObject({ outcome: 'woke', count: 1, runs: [{ run, wait: 'documents' }] });
    await given.answer(check, null);
    expect((await given.get(`runs/${run}/result?waitMs=30000`))['state']).toBe('complete');
    expect((await follow('POST', token, { status: 'received' })).json).toEqual(first.json); // Also when the run has ended.
    expect((await given.get(`runs/${run}/verify`))['violations']).toEqual([]);
  });

  it('used twenty times at once counts once', async () => {
    const { run, token } = await waiting('V-2');
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => follow('POST', token, { status: `try ${i}` })));
    expect(new Set(all.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(all[0]?.status).toBe(202);
    await taskOf('checks', run);
    expect((await eventsOf(run)).filter(({ type }) => type === 'WaitTriggered')).toHaveLength(1);
  });

  it('decides nothing when it is only looked at, and says what it is for', async () => {
    const { run, token } = await waiting('V-3');
    for (let looks = 0; looks < 3; looks += 1) {
      const { status, json } = await follow('GET', token);
      expect([status, json]).toMatchObject([
        200,
        {
          callback: 'portal',
          step: 'documents',
          workflow: 'onboarding',
          purpose: 'the vendor sends its papers',
          state: 'open',
          method: 'POST',
        },
      ]);
    }
    const page = await follow('GET', token, undefined, { accept: 'text/html' });
    // Its schema wants data, which a button does not have.
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('sent by a program')]);
    expect((await eventsOf(run)).some(({ type }) => type === 'WaitTriggered')).toBe(false);
    expect((await given.get(`runs/${run}`))['state']).toBe('waiting');
    await follow('POST', token, { status: 'x' });
    expect((await follow('GET', token)).json['state']).toBe('used');
  });

  it('is a button for a person with a browser, where no data is asked for', async () => {
    const steps = [
      { id: 'mail', task: { queue: 'notes' }, input: '${callbacks.sure.yes}' },
      { id: 'sure', purpose: 'are <you> sure?', wait: { any: [{ callback: { name: 'yes' } }], deadline: '1h', onDeadline: { value: 0 } } },
    ];
    await given.call('PUT', 'definitions/asking', { cairn: 1, name: 'asking', version: '1.0.0', steps });
    const { runId } = (await given.call('POST', 'workflows/asking/runs', { input: {} })).json;
    const mail = await given.take('notes');
    const token = String(mail.data['input']);
    await given.answer(mail, null);
    const page = await follow('GET', token, undefined, { accept: 'text/html' });
    expect(page.text).toContain('<form method="post">');
    expect(page.text).toContain('are &lt;you&gt; sure?');
    const form = { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded', origin: 'null' };
    const pressed = await follow('POST', token, undefined, form);
    expect([pressed.status, pressed.text]).toEqual([202, expect.stringContaining('Thank you')]);
    expect(await given.get(`runs/${String(runId)}/result?waitMs=30000`)).toMatchObject({ outcome: 'succeeded' });
    expect((await follow('GET', token, undefined, { accept: 'text/html' })).text).not.toContain('<form');
  });

  it('that is used before the run waits is kept, and wakes it then', async () => {
    const { run, token } = await mailed('V-4');
    expect((await follow('GET', token)).json['state']).toBe('early');
    const early = await follow('POST', token, { status: 'early' });
    expect(early.status).toBe(202);
    expect(await given.get(`events/${String(early.json['receiptId'])}`)).toMatchObject({ outcome: 'kept' });
    await given.answer(await taskOf('prepares', run), null);
    expect((await taskOf('checks', run)).data.input).toMatchObject({ got: { data: { status: 'early' } } });
  });

  it('takes no data that its schema does not, and can be used still', async () => {
    const { run, token } = await waiting('V-5');
    const bad = await follow('POST', token, { state: 'received' });
    expect([bad.status, bad.json['code']]).toEqual([422, 'callback_data_invalid']);
    expect((bad.json['errors'] as unknown as readonly JsonObject[]).map(({ rule }) => rule)).toEqual(['required', 'unknown_field']);
    const form = await follow('POST', token, undefined, { 'content-type': 'application/x-www-form-urlencoded' });
    expect([form.status, form.json['code']]).toEqual([422, 'callback_data_invalid']);
    const xml = await fetch(new URL(`/v1/callbacks/${token}`, given.server.url), {
      method: 'POST',
      headers: { 'content-type': 'text/xml' },
      body: '<status/>',
    });
    expect(xml.status).toBe(415);
    // As `curl -d` sends it.
    const curl = await fetch(new URL(`/v1/callbacks/${token}`, given.server.url), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: '{"status":"received"}',
    });
    expect(curl.status).toBe(202);
    await taskOf('checks', run);
  });

  it('that is forged, cut, of another run, over or left behind is told one and the same, and changes nothing (B-30)', async () => {
    const { run, token } = await waiting('V-6');
    const other = await waiting('V-7');
    const [version = '', kid = '', payload = '', mac = ''] = token.split('.');
    const [, , otherPayload = '', otherMac = ''] = other.token.split('.');
    const claim = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as JsonObject;
    const forged = (change: JsonObject): string => Buffer.from(JSON.stringify({ ...claim, ...change })).toString('base64url');
    const over = await waiting('V-8');
    await given.call('POST', 'events', {
      specversion: '1.0',
      id: 'v8',
      source: '/spec',
      type: 'vendor.paper.received',
      cairnkey: 'V-8',
      data: 1,
    });
    await taskOf('checks', over.run);
    const cancelled = await waiting('V-9');
    await given.call('POST', `runs/${cancelled.run}:cancel`, {});
    await given.get(`runs/${cancelled.run}/result?waitMs=30000`);
    const before = await eventsOf(run);
    const texts = [
      'x',
      'v1',
      `${version}.${kid}.${payload}`,
      `${version}.${kid}.${payload}.`,
      token.slice(0, -1),
      `${token}A`,
      `${version}.${kid}.${payload}.${otherMac}`,
      `${version}.${kid}.${otherPayload}.${mac}`,
      `${version}.k2.${payload}.${mac}`,
      `v2.${kid}.${payload}.${mac}`,
      `${version}.none.${payload}.${mac}`,
      `${version}.${kid}.${forged({ ns: 'acme' })}.${mac}`,
      `${version}.${kid}.${forged({ revision: 99 })}.${mac}`,
      `${version}.${kid}.${payload}.${'A'.repeat(43)}`,
      'a'.repeat(5_000),
      over.token,
      cancelled.token,
    ];
    const answers = new Set<string>();
    for (const text of texts) {
      const posted = await follow('POST', text, { status: 'x' });
      const shown = await follow('GET', text);
      expect([posted.status, shown.status]).toEqual([404, 404]);
      answers.add(posted.text);
      answers.add(shown.text);
    }
    expect([...answers].map((text) => (JSON.parse(text) as JsonObject)['code'])).toEqual(['callback_not_found']);
    expect(await eventsOf(run)).toEqual(before);
    expect((await follow('POST', token, { status: 'x' })).status).toBe(202);
  });

  it('stands in no history, state, receipt, list or answer: what people see is the reference', async () => {
    const { run, token } = await waiting('V-10');
    await follow('POST', token, { status: 'received' });
    await taskOf('checks', run);
    const mac = token.split('.').at(-1) ?? '';
    const pages = ['history', 'state', 'waits', 'why', 'bundle', 'branches'].map((what) => `runs/${run}/${what}`);
    for (const path of [...pages, 'waits', `runs?workflow=onboarding`]) {
      const { text } = await raw(path);
      expect([path, text.includes(mac)]).toEqual([path, false]);
    }
    const started = (await eventsOf(run)).find(({ type }) => type === 'StepStarted');
    expect(started?.data).toMatchObject({
      input: { link: 'https://portal.example/v1/callbacks/{callback:documents.portal}' },
      params: { plain: '{callback:documents.portal}' },
    });
  });

  it('that a handler gives back, as its output or in a failure, does not come into the history', async () => {
    const { runId } = (await given.call('POST', 'workflows/onboarding/runs', { key: 'V-15', input: { vendor: 'V-15', greeting: 'x' } }))
      .json;
    const run = String(runId);
    const mail = await taskOf('mails', run);
    const { input, params } = mail.data as { input?: Json; params?: Json };
    const token = String((params as JsonObject)['plain']);
    await given.fail(mail, { code: 'timeout', message: `could not send ${token}!`, details: { body: [token] } });
    const again = await taskOf('mails', run);
    const second = String((again.data.params as JsonObject)['plain']);
    await given.answer(again, {
      sent: [input ?? null, again.data.params ?? null],
      text: `${second}${token}`,
      foreign: `v1.k1.e30.${'A'.repeat(43)}`,
    });
    const text = JSON.stringify(await historyOf(run));
    for (const mac of [token, second].map((one) => one.split('.').at(-1) ?? '')) expect(text.includes(mac)).toBe(false);
    const output = (await eventsOf(run)).find(({ type }) => type === 'StepSucceeded')?.data['output'];
    expect(output).toMatchObject({
      text: '{callback:documents.portal}{callback:documents.portal}',
      foreign: `v1.k1.e30.${'A'.repeat(43)}`,
    });
    // Both mails may have left: whichever link is used first counts.
    await given.answer(await taskOf('prepares', run), null);
    await waitUntil('the run waits', async () => (await given.get(`runs/${run}`))['state'] === 'waiting');
    expect((await follow('GET', second)).status).toBe(200);
    expect((await follow('POST', token, { status: 'x' })).status).toBe(202);
    await taskOf('checks', run);
    expect((await follow('POST', second, { status: 'x' })).status).toBe(404);
  });

  it('is given to nobody for the asking: text from outside that looks like the reference stays what it is', async () => {
    const { input } = await mailed('V-11', 'see {callback:documents.portal}');
    expect(input['text']).toBe('see {callback:documents.portal}');
  });

  it('is no event: whoever may publish events cannot do what a link does', async () => {
    const { run } = await waiting('V-12');
    const { items } = (await given.get(`runs/${run}/waits`)) as unknown as { items: readonly { wait: string }[] };
    const waitId = items[0]?.wait ?? '';
    const event = {
      specversion: '1.0',
      id: 'forged',
      source: '/cairn/callbacks',
      type: 'cairn.run.callback.portal.v1',
      data: { status: 'x' },
    };
    await given.call('POST', 'events', { ...event, cairnkey: waitId, cairnwait: waitId, cairnrun: run });
    expect((await given.get(`runs/${run}`))['state']).toBe('waiting');
    expect((await eventsOf(run)).some(({ type }) => type === 'WaitTriggered')).toBe(false);
  });

  it('is given to whoever may act on the run, too, and belongs to this opening of the wait', async () => {
    const { run } = await waiting('V-16');
    const ask = (callback: string) => given.call('POST', `runs/${run}/waits/documents:link`, { callback });
    const { status, json } = await ask('portal');
    expect([status, json]).toMatchObject([200, { callback: 'portal', step: 'documents', path: `/v1/callbacks/${String(json['token'])}` }]);
    expect((await ask('portal')).json).toEqual(json);
    expect(await ask('front-door')).toMatchObject({ status: 400, json: { errors: [{ pointer: '/callback', rule: 'unknown-ref' }] } });
    expect(await ask('No')).toMatchObject({ status: 400, json: { errors: [{ pointer: '/callback' }] } });
    const token = String(json['token']);
    expect((await follow('GET', token)).json['state']).toBe('open');
    const moved = await given.call('POST', `runs/${run}/waits/documents:reschedule`, { deadline: '3d', reason: 'holidays' });
    expect(moved.status).toBe(202);
    expect((await follow('GET', token)).json['state']).toBe('open');
    // Asked again on a branch from before the wait: that has links of its own.
    const prepared = (await eventsOf(run)).findIndex(({ type, data }) => type === 'StepSucceeded' && data['step'] === 'mail');
    await given.call('POST', `runs/${run}/branches`, { from: { branch: 'main', at: String(prepared) }, cause: 'correction', reason: 'x' });
    await given.answer(await taskOf('prepares', run), null);
    await waitUntil('the run waits', async () => (await given.get(`runs/${run}`))['state'] === 'waiting');
    expect((await follow('POST', token, { status: 'x' })).status).toBe(404);
    const { json: fresh } = await ask('portal');
    expect((await follow('POST', String(fresh['token']), { status: 'x' })).status).toBe(202);
    expect(await ask('portal')).toMatchObject({ status: 409, json: { code: 'wait_closed' } });
  });

  it('is named by why, and by what shows the wait', async () => {
    const { run } = await waiting('V-13');
    const why = await given.get(`runs/${run}/why`);
    expect(why['says']).toContain('callback portal');
    const { items } = (await given.get(`runs/${run}/waits`)) as unknown as { items: readonly JsonObject[] };
    expect(items[0]?.['triggers']).toMatchObject([{ kind: 'callback', name: 'portal' }, { kind: 'event' }]);
  });

  it('outlives a fork from behind the task that was given it, and not one from before', async () => {
    const { run, token } = await waiting('V-14');
    const open = (at: string) =>
      given.call('POST', `runs/${run}/branches`, {
        from: { branch: 'main', at },
        cause: 'correction',
        reason: 'again',
        received: {},
        effects: {},
      });
    const events = await eventsOf(run);
    const prepared = events.findIndex(({ type, data }) => type === 'StepSucceeded' && data['step'] === 'mail');
    expect((await open(String(prepared))).status).toBe(201);
    expect((await follow('GET', token)).status).toBe(200);
    const { json } = await given.call('POST', `runs/${run}/branches`, {
      from: { branch: 'main', at: '0' },
      cause: 'correction',
      reason: 'from the beginning',
    });
    expect(json['branch']).toBe('b3');
    const left = await follow('POST', token, { status: 'x' });
    expect([left.status, left.json['code']]).toEqual([404, 'callback_not_found']);
    const mail = await taskOf('mails', run);
    const fresh = String((mail.data.params as JsonObject)['plain']);
    expect(fresh).not.toBe(token);
    expect((await follow('GET', fresh)).status).toBe(200);
  });
});

async function raw(path: string): Promise<{ readonly text: string }> {
  const answer = await fetch(new URL(`/v1/default/${path}`, given.server.url), {
    headers: { authorization: `Bearer ${given.server.token}` },
  });
  expect(answer.status).toBe(200);
  return { text: await answer.text() };
}
