import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { idOf, runStream, type JsonObject } from '@cairn/kernel';
import { history, told } from './spec/histories.js';
import { openRig, type Rig } from './spec/rig.js';

const RUN = idOf('run', 'default', 'w', 'V-1');
const receipt = (outcome: string, more: JsonObject = {}): JsonObject => ({
  receiptId: idOf('receipt', 'default', '/cairn/http', 'e'),
  source: '/cairn/http',
  id: 'e',
  type: 't',
  at: '2026-11-23T09:14:00.000Z',
  outcome,
  count: 1,
  runs: [],
  nearMisses: [],
  ...more,
});
const POLICY = { cairn: 1, policy: 'calm', buckets: { unclassified: { retry: false, escalate: 'triage' } }, onExhausted: ['block'] };
const DEFINITION = { cairn: 1, name: 'w', version: '1.0.0', steps: [{ id: 'a', task: { queue: 'q' } }] };

/** The run exists: the store has its first event. */
async function tellRun({ store }: Rig): Promise<void> {
  await store.append(runStream(RUN, 'main'), 'no_stream', history(RUN, [told.started()]));
}

describe('what the gateway asks of the services', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    rig.asked.length = 0;
  });

  it('starts a run through the one door of intake and says which run it is', async () => {
    rig.answer = () => receipt('started', { runs: [{ run: RUN, branch: 'main' }] });
    const got = await rig.send({
      method: 'POST',
      path: '/v1/default/workflows/w/runs',
      body: '{"key":"V-1","input":{"n":1}}',
      headers: { 'idempotency-key': 'order-7' },
    });
    expect([got.status, got.json]).toEqual([202, { runId: RUN, receiptId: receipt('x')['receiptId'], outcome: 'started' }]);
    expect(rig.asked).toMatchObject([
      {
        subject: 'cairn.default.run.start.w',
        body: {
          id: 'order-7',
          source: '/cairn/http',
          type: 'cairn.run.start.v1',
          cairnkey: 'V-1',
          cairnactor: 'user:local',
          data: { key: 'V-1', input: { n: 1 } },
        },
      },
    ]);
  });

  const refusals: readonly { readonly code: string; readonly status: number }[] = [
    { code: 'workflow_not_found', status: 404 },
    { code: 'run_exists', status: 409 },
    { code: 'idempotency_conflict', status: 409 },
    { code: 'input_invalid', status: 422 },
    { code: 'hops_exceeded', status: 422 },
  ];
  it.each(refusals)('shows a start that was refused as $code with status $status and its receipt', async ({ code, status }) => {
    const errors = [{ pointer: '/input/n', rule: 'type', says: 'must be a number' }];
    rig.answer = () => receipt('refused', { problem: { code, detail: 'No.', errors } });
    const got = await rig.send({ method: 'POST', path: '/v1/default/workflows/w/runs', body: '{}' });
    expect(got.json).toMatchObject({
      status,
      code,
      detail: 'No.',
      errors,
      instance: `/v1/default/events/${String(receipt('x')['receiptId'])}`,
    });
  });

  it('overwrites who sent an event, and keeps attributes that it does not know (B-8)', async () => {
    rig.answer = () => receipt('unmatched');
    const event = {
      specversion: '1.0',
      id: 'e1',
      source: '/erp',
      type: 'erp.order.placed.v2',
      cairnactor: 'user:root',
      comexampleflag: 'x',
      data: { a: [1, null] },
    };
    const got = await rig.send({
      method: 'POST',
      path: '/v1/default/events',
      body: JSON.stringify(event),
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    });
    expect([got.status, got.json['outcome']]).toEqual([202, 'unmatched']);
    expect(rig.asked).toMatchObject([{ subject: 'cairn.default.in.erp.order.placed', body: { ...event, cairnactor: 'user:local' } }]);
  });

  it('reads an event in binary mode, percent-decoding its headers', async () => {
    rig.answer = () => receipt('kept');
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'e%201',
      'ce-source': '/erp',
      'ce-type': 'erp.order',
      'ce-cairnkey': 'Stra%C3%9Fe',
      'ce-cairnhops': '2',
    };
    expect((await rig.send({ method: 'POST', path: '/v1/default/events', body: '{"n":1}', headers })).status).toBe(202);
    expect(rig.asked).toMatchObject([
      {
        body: {
          specversion: '1.0',
          id: 'e 1',
          type: 'erp.order',
          cairnkey: 'Straße',
          cairnhops: 2,
          datacontenttype: 'application/json',
          data: { n: 1 },
        },
      },
    ]);
  });

  it('applies a definition as JSON and as YAML with the same bytes', async () => {
    rig.answer = () => ({ kind: 'applied', name: 'w', version: '1.0.0', hash: 'sha256:x', revision: 0, warnings: [] });
    const json = await rig.send({ method: 'PUT', path: '/v1/default/definitions/w', body: JSON.stringify(DEFINITION) });
    rig.answer = () => ({ kind: 'unchanged', name: 'w', version: '1.0.0', hash: 'sha256:x', revision: 0, warnings: [] });
    const yaml = await rig.send({
      method: 'PUT',
      path: '/v1/default/definitions/w',
      body: 'cairn: 1\nname: w\nversion: "1.0.0"\nsteps:\n  - id: a\n    task: { queue: q }\n',
      headers: { 'content-type': 'text/yaml' },
    });
    expect([json.status, yaml.status]).toEqual([201, 200]);
    expect(yaml.json['hash']).toBe(json.json['hash']);
    expect(rig.asked[0]?.subject).toBe('cairn.default.cmd.scheduling.apply-definition');
    expect(rig.asked[1]?.body).toEqual(rig.asked[0]?.body);
  });

  it('shows another document under a known version as a conflict', async () => {
    rig.answer = () => ({ kind: 'rejected', rejection: { code: 'version_conflict', detail: 'Another.' } });
    const got = await rig.send({ method: 'PUT', path: '/v1/default/definitions/w', body: JSON.stringify(DEFINITION) });
    expect(got.json).toMatchObject({ status: 409, code: 'version_conflict' });
  });

  it.each(['cancel', 'pause', 'unpause'] as const)(
    'asks to %s a run through the one door of intake, with a reason or without',
    async (verb) => {
      await tellRun(rig);
      rig.answer = () => receipt('attached', { runs: [{ run: RUN }] });
      const path = `/v1/default/runs/${RUN}:${verb}`;
      const got = await rig.send({ method: 'POST', path, body: '{"reason":"month end"}', headers: { 'idempotency-key': 'k-1' } });
      expect([got.status, got.json]).toEqual([202, receipt('attached', { runs: [{ run: RUN }] })]);
      expect((await rig.send({ method: 'POST', path })).status).toBe(202);
      expect(rig.asked).toMatchObject([
        {
          subject: `cairn.default.run.${RUN}.${verb}`,
          body: { id: 'k-1', type: `cairn.run.${verb}.v1`, cairnactor: 'user:local', cairnvia: 'http', data: { reason: 'month end' } },
        },
        { body: { data: {} } },
      ]);
    },
  );

  it('shows a control of a run that has ended as a conflict, with the receipt (B-46)', async () => {
    await tellRun(rig);
    rig.answer = () => receipt('late', { runs: [{ run: RUN }], problem: { code: 'run_ended', detail: 'Over.' } });
    const got = await rig.send({ method: 'POST', path: `/v1/default/runs/${RUN}:pause` });
    expect(got.json).toMatchObject({ status: 409, code: 'run_ended', receiptId: receipt('x')['receiptId'] });
  });

  it('applies a policy as JSON and as YAML with the same bytes, through retry-policy', async () => {
    rig.answer = () => ({ kind: 'applied', name: 'calm', version: 2, hash: 'sha256:x', revision: 1 });
    const json = await rig.send({ method: 'PUT', path: '/v1/default/policies/calm', body: JSON.stringify(POLICY) });
    expect([json.status, json.json]).toEqual([201, { name: 'calm', version: 2, hash: 'sha256:x', revision: 1 }]);
    rig.answer = () => ({ kind: 'unchanged', name: 'calm', version: 2, hash: 'sha256:x', revision: 1 });
    const yaml = await rig.send({
      method: 'PUT',
      path: '/v1/default/policies/calm',
      body: 'cairn: 1\npolicy: calm\nbuckets:\n  unclassified: { retry: false, escalate: triage }\nonExhausted: [block]\n',
      headers: { 'content-type': 'application/yaml' },
    });
    expect([yaml.status, yaml.json['version']]).toEqual([200, 2]);
    expect(rig.asked[0]).toMatchObject({
      subject: 'cairn.default.cmd.retry-policy.apply-policy',
      body: { actor: 'user:local', name: 'calm', document: { policy: 'calm' } },
    });
    expect(rig.asked[1]?.body).toEqual(rig.asked[0]?.body);
  });

  it('shows a policy that retry-policy refuses with its own code', async () => {
    rig.answer = () => ({ kind: 'rejected', rejection: { code: 'policy_invalid', detail: 'No.' } });
    const got = await rig.send({ method: 'PUT', path: '/v1/default/policies/calm', body: JSON.stringify(POLICY) });
    expect(got.json).toMatchObject({ status: 422, code: 'policy_invalid' });
  });

  it('hands frames of work to the desk and answers with what it says', async () => {
    const frame = { session: RUN, seq: 3, handler: 'h/1', queues: { q: 4 }, held: [RUN], replies: [] };
    const got = await rig.send({ method: 'POST', path: '/v1/default/work:exchange', body: JSON.stringify(frame) });
    expect([got.status, got.json]).toEqual([200, { seq: 3, accepted: [], late: [], forwarded: [], tasks: [] }]);
    expect(rig.worked.at(-1)).toEqual({ call: 'exchange', args: ['default', frame] });
  });

  it('hands single polls, beats and replies to the desk', async () => {
    const lease = { attemptId: RUN, branch: 'main', epoch: 1 };
    const poll = await rig.send({ method: 'POST', path: '/v1/default/work/screening:poll', body: '{"max":2,"waitMs":10}' });
    const beat = await rig.send({ method: 'POST', path: `/v1/default/work/${RUN}:heartbeat`, body: '{}' });
    const reply = await rig.send({
      method: 'POST',
      path: `/v1/default/work/${RUN}:reply`,
      body: JSON.stringify({
        specversion: '1.0',
        id: `${RUN}:end`,
        source: '/h/1',
        type: 'cairn.reply.failed.v1',
        data: { lease, failure: { message: 'no' } },
      }),
    });
    expect([poll.json, beat.json, reply.json]).toEqual([{ tasks: [] }, { accepted: true }, { accepted: false, because: 'late' }]);
    expect(rig.worked.slice(-3)).toMatchObject([
      { call: 'poll', args: ['default', 'screening', { max: 2, waitMs: 10, gone: { aborted: false } }] },
      { call: 'heartbeat', args: ['default', RUN] },
      { call: 'reply', args: ['default', RUN, { data: { lease } }] },
    ]);
  });
});
