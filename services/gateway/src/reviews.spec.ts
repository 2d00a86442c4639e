import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { humanReviewCommands } from '@cairn/contracts';
import { idOf, instantOf, reviewStream, sealAppend, type Json, type JsonObject } from '@cairn/kernel';
import { readTokenHolders } from './config.js';
import { BEGIN } from './spec/histories.js';
import { openRig, type Got, type Rig } from './spec/rig.js';

const tokenOf = (name: string): string => name.padEnd(40, 'x');
const holders = [
  { token: tokenOf('ana'), principal: { id: 'user:ana', roles: ['reviewer'], groups: ['group:cfo'] } },
  { token: tokenOf('vic'), principal: { id: 'user:vic', roles: ['viewer'], groups: [] } },
  { token: tokenOf('otto'), principal: { id: 'user:otto', roles: ['operator'], groups: [] } },
  { token: tokenOf('hal'), principal: { id: 'handler:hal', roles: ['handler'], groups: [] } },
] as const;
const digest = 'd'.repeat(64);
const decision = { subjectDigest: digest, revision: 0, verdict: 'approve', reason: 'fine' };

describe('reviews over HTTP', () => {
  let rig: Rig;
  const ids = ['low', 'high', 'elsewhere', 'decided'].map((name) => idOf('review', name));
  const [low = '', high = '', elsewhere = '', decided = ''] = ids;

  beforeAll(async () => {
    rig = await openRig({ holders });
    await open(low, 'default', { risk: 'low', queue: 'desk' });
    await open(high, 'default', { risk: 'high', queue: 'risk', candidates: ['group:cfo'] });
    await open(elsewhere, 'acme', { risk: 'low' });
    await open(decided, 'default', { risk: 'critical' });
    await append(decided, 'default', 'ReviewDecided', {
      verdict: 'approve',
      option: 'approve',
      subjectDigest: digest,
      by: ['user:ana'],
      reason: 'ok',
    });
  });
  afterAll(() => rig.close());
  beforeEach(() => {
    rig.asked.length = 0;
    rig.answer = () => ({ kind: 'done', review: { review: low, status: 'claimed' } });
  });

  async function append(reviewId: string, ns: string, type: string, data: { readonly [field: string]: Json }): Promise<void> {
    const stored = await rig.store.read(reviewStream(reviewId));
    const expected = stored.at(-1)?.revision ?? 'no_stream';
    const place = { stream: reviewStream(reviewId), expected, prevHash: stored.at(-1)?.metadata.hash ?? '', ns } as const;
    const context = { ...place, at: instantOf(BEGIN), actor: 'service:human-review', causationId: 'c' };
    await rig.store.append(place.stream, expected, sealAppend(context, [{ type, version: 1, data: { reviewId, ...data } }]));
  }

  const open = (reviewId: string, ns: string, more: JsonObject): Promise<void> =>
    append(reviewId, ns, 'ReviewOpened', {
      run: idOf('run', 'r'),
      branch: 'main',
      requested: 4,
      workflow: 'w',
      goal: null,
      step: 'ask',
      why: 'planned',
      queue: 'desk',
      question: 'Pay?',
      options: [{ id: 'approve', label: 'Approve', verdict: 'approve', then: 'continue', preview: 'The run goes on.' }],
      subjects: [{ step: 'pay', input: {}, params: {}, effect: null, digest }],
      subjectDigest: digest,
      editable: [],
      candidates: [],
      quorum: { of: 1, notSameAs: [] },
      excluded: [],
      deadline: instantOf(BEGIN + 3_600_000),
      onDeadline: 'escalate',
      escalate: [],
      evidence: [],
      assumptions: [],
      ...more,
    });

  const post = (path: string, body: unknown, token?: string): Promise<Got> =>
    rig.send({ method: 'POST', path: `/v1/default/${path}`, body: JSON.stringify(body), ...(token === undefined ? {} : { token }) });
  const listed = async (query = '', token?: string): Promise<unknown> => {
    const got = await rig.send({ path: `/v1/default/reviews${query}`, ...(token === undefined ? {} : { token }) });
    return (got.json['items'] as readonly { readonly review: string }[] | undefined)?.map(({ review }) => review) ?? got.json['code'];
  };

  it('lists what is open here, the riskiest first, by queue, risk and who may take it', async () => {
    expect(await listed()).toEqual([high, low]);
    expect(await listed('?queue=desk')).toEqual([low]);
    expect(await listed('?risk=high')).toEqual([high]);
    expect(await listed('?why=budget')).toEqual([]);
    expect(await listed('?mine=true', tokenOf('ana'))).toEqual([high, low]);
    expect(await listed('?mine=true')).toEqual([low]);
    expect(await listed('?risk=huge')).toBe('invalid_query');
    expect(await listed('?state=decided')).toBe('invalid_query');
  });

  it('shows one, decided ones too, and none of another namespace', async () => {
    const show = (id: string): Promise<Got> => rig.send({ path: `/v1/default/reviews/${id}` });
    expect((await show(high)).json).toMatchObject({ review: high, status: 'open', revision: 0, subjectDigest: digest });
    expect((await show(decided)).json).toMatchObject({ status: 'decided', decision: { by: ['user:ana'] } });
    expect((await show(elsewhere)).status).toBe(404);
    expect((await show(idOf('review', 'none'))).json['code']).toBe('review_not_found');
    expect((await show('x')).json['code']).toBe('invalid_id');
  });

  it('hands a decision on with who made it, as the token says and nothing in the body', async () => {
    const got = await post(`reviews/${low}:decide`, decision, tokenOf('ana'));
    expect(got.status).toBe(200);
    expect(rig.asked).toMatchObject([
      {
        subject: 'cairn.default.cmd.human-review.decide-review',
        body: { reviewId: low, by: { id: 'user:ana', roles: ['reviewer'], groups: ['group:cfo'] }, data: decision },
      },
    ]);
    expect((await post(`reviews/${low}:decide`, { ...decision, by: 'user:eve' })).json).toMatchObject({ code: 'unknown_field' });
    expect((await post(`reviews/${low}:decide`, { ...decision, reviewId: high })).json).toMatchObject({ code: 'invalid_body' });
  });

  it.each([
    ['review_closed', 409],
    ['review_claimed', 409],
    ['digest_mismatch', 409],
    ['four_eyes', 403],
    ['role_missing', 403],
    ['decider_not_human', 403],
    ['not_candidate', 403],
    ['review_not_found', 404],
    ['edits_invalid', 422],
  ])('answers %s with %i and what won (B-33, B-34)', async (code, status) => {
    const won = { revision: 3, event: 'ReviewDecided', by: 'user:ben' };
    rig.answer = () => ({ kind: 'rejected', rejection: { code, detail: 'no', expected: 3, got: won } });
    const got = await post(`reviews/${low}:decide`, decision);
    expect({ status: got.status, ...got.json }).toMatchObject({ status, code, expected: 3, got: won });
  });

  it('decides nothing by a GET, whatever it asks for (B-34)', async () => {
    for (const path of [`reviews/${low}:decide`, `reviews/${low}:claim`]) {
      const got = await rig.send({ path: `/v1/default/${path}` });
      expect([got.status, got.headers['allow']]).toEqual([405, 'POST']);
    }
    expect(rig.asked).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['decide', { ...decision, reason: undefined }],
    ['decide', { ...decision, reason: '' }],
    ['decide', { ...decision, reason: 'a\u001b[31mred' }],
    ['decide', { ...decision, reason: 'x'.repeat(1_025) }],
    ['decide', { ...decision, subjectDigest: 'd' }],
    ['decide', { ...decision, revision: '0' }],
    ['decide', { ...decision, verdict: 'abstain' }],
    ['decide', { ...decision, edits: [{ op: 'move', path: '/a', from: '/b' }] }],
    ['reassign', { to: 'ana' }],
    ['comment', { text: '' }],
    ['escalate', {}],
    ['claim', { force: 'yes' }],
  ])('refuses a body of :%s that is none: %j', async (verb, body) => {
    const got = await post(`reviews/${low}:${verb}`, body);
    expect([got.status, got.json['code']]).toEqual([400, 'invalid_body']);
    expect(rig.asked).toEqual([]);
  });

  it('lets everybody do what his roles say, and nothing else', async () => {
    const may = async (name: string, method: string, path: string): Promise<number> =>
      (await rig.send({ method, path: `/v1/default/${path}`, token: tokenOf(name), ...(method === 'GET' ? {} : { body: '{}' }) })).status;
    for (const { token } of holders) expect((await rig.send({ path: '/v1/default/runs', token })).status).toBe(200);
    for (const name of ['ana', 'vic', 'hal']) {
      expect(await may(name, 'POST', 'events')).toBe(403);
      expect(await may(name, 'PUT', 'definitions/w')).toBe(403);
      expect(await may(name, 'POST', 'workflows/w/runs')).toBe(403);
    }
    expect(await may('otto', 'PUT', 'definitions/w')).toBe(403);
    expect(await may('otto', 'POST', 'events')).toBe(400);
    expect(await may('hal', 'POST', 'work/q:poll')).toBe(200);
    expect(await may('vic', 'POST', 'work/q:poll')).toBe(403);
    expect(await may('nobody', 'GET', 'runs')).toBe(401);
  });

  it('tells who started a run, as the token says', async () => {
    rig.answer = () => ({ outcome: 'refused', problem: { code: 'input_invalid', detail: 'no' } });
    expect((await post('workflows/w/runs', {}, tokenOf('otto'))).status).toBe(422);
    expect(rig.asked[0]?.body).toMatchObject({ cairnactor: 'user:otto' });
  });

  it('is what human-review hears', () => {
    expect(humanReviewCommands.filters).toEqual(['cairn.*.cmd.human-review.*']);
  });
});

describe('a file of tokens', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-tokens-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (document: unknown): unknown => {
    const file = join(folder, 'tokens.json');
    writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document));
    return readTokenHolders(file, 'unused');
  };
  const one = { token: tokenOf('ana'), principal: 'user:ana', roles: ['reviewer'] };

  it('names people and programs with their roles and groups', () => {
    expect(read([{ ...one, groups: ['group:cfo'] }])).toEqual([
      { token: one.token, principal: { id: 'user:ana', roles: ['reviewer'], groups: ['group:cfo'] } },
    ]);
    expect(readTokenHolders(undefined, join(folder, 'absent.json'))).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['no JSON', 'x'],
    ['no list', {}],
    ['a short token', [{ ...one, token: 'short' }]],
    ['nobody', [{ ...one, principal: 'ana' }]],
    ['no role', [{ ...one, roles: [] }]],
    ['an unknown role', [{ ...one, roles: ['king'] }]],
    ['one token for two', [one, { ...one, principal: 'user:ben' }]],
    ['a field that there is not', [{ ...one, role: 'x' }]],
  ])('is refused with %s, and no token is repeated', (_, document) => {
    expect(() => read(document)).toThrow(/CAIRN_TOKENS_FILE/);
    try {
      read(document);
    } catch (error) {
      expect(String(error)).not.toContain(tokenOf('ana'));
    }
  });

  it('that is named must be there', () => {
    expect(() => readTokenHolders(join(folder, 'absent.json'), 'unused')).toThrow(/CAIRN_TOKENS_FILE/);
  });
});
