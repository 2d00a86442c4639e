// C-REVIEW and C-REVIEWTRIG on all services over HTTP and libSQL: proposals that people send back, and waits that ask them.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@cairn/kernel';
import { GivenServer, TAKEN, type Got } from './spec/given-server.js';

const DEFINITION = {
  cairn: 1,
  name: 'letters',
  version: '1.0.0',
  steps: [
    { id: 'draft', task: { queue: 'writers' }, input: { to: '${run.key}' }, fallback: [{ queue: 'others' }] },
    {
      id: 'approve',
      review: {
        queue: 'desk',
        question: 'Send it?',
        authorises: ['send'],
        deadline: '2h',
        verdicts: { approve: 'continue', revise: 'branch', reject: 'fallback' },
      },
    },
    {
      id: 'send',
      purpose: 'the customer knows',
      risk: 'high',
      effect: { queue: 'mail', key: 'mail-${run.key}', guarantee: 'idempotent' },
      input: { text: '${steps.draft.output.text}' },
    },
  ],
};
const WAITING = {
  cairn: 1,
  name: 'papers',
  version: '1.0.0',
  steps: [
    {
      id: 'paper',
      wait: { any: [{ signal: 'paper' }], deadline: '1h', onDeadline: { giveUp: true }, staleAfter: '50ms', staleReview: 'doubt' },
    },
    {
      id: 'doubt',
      side: true,
      review: {
        queue: 'desk',
        question: 'Still wanted?',
        deadline: '1d',
        verdicts: { approve: 'continue', edit: 'again', reject: 'give_up' },
        editable: [''],
      },
      input: {},
    },
    { id: 'file', after: ['paper'], task: { queue: 'files' } },
  ],
};
const CHASED = {
  cairn: 1,
  name: 'chased',
  version: '1.0.0',
  steps: [
    { id: 'paper', wait: { any: [{ signal: 'paper' }], deadline: '50ms', onDeadline: { step: 'chase' }, staleAfter: '1h' } },
    {
      id: 'chase',
      side: true,
      review: { queue: 'desk', question: 'Go on?', deadline: '1d', verdicts: { approve: 'again', reject: 'give_up' } },
    },
    { id: 'file', after: ['paper'], task: { queue: 'files' } },
  ],
};

interface Review extends JsonObject {
  readonly review: string;
  readonly subjectDigest: string;
  readonly revision: number;
  readonly options: readonly { readonly id: string; readonly then: string; readonly preview: string }[];
}

describe('what people decide', () => {
  let server: GivenServer;
  beforeAll(async () => {
    server = await GivenServer.start(DEFINITION);
    for (const definition of [WAITING, CHASED])
      expect((await server.call('PUT', `definitions/${definition.name}`, definition)).status).toBe(201);
  });
  afterAll(() => server.stop());

  const start = async (workflow: string, key: string): Promise<string> =>
    String((await server.call('POST', `workflows/${workflow}/runs`, { key })).json['runId']);
  const asked = (run: string, before: readonly string[] = []): Promise<Review> =>
    server.until(async () =>
      ((await server.get(`reviews?run=${run}`))['items'] as unknown as readonly Review[]).find(({ review }) => !before.includes(review)),
    );
  const decide = ({ review, subjectDigest, revision }: Review, verdict: string, more: JsonObject = {}): Promise<Got> =>
    server.call('POST', `reviews/${review}:decide`, { subjectDigest, revision, reason: 'so', verdict, ...more });
  const ends = async (run: string): Promise<JsonObject> => server.get(`runs/${run}/result?waitMs=30000`);
  const kept = async (run: string): Promise<void> =>
    expect((await server.get(`runs/${run}/verify?when=quiescent`))['violations']).toEqual([]);

  it('of a risky step is asked for because of the risk; sent back with guidance it is made again, and only that is sent (C-REVIEW, I-23)', async () => {
    const run = await start('letters', 'revised');
    await server.answer(await server.take('writers'), { text: 'Dear' });
    const first = await asked(run);
    expect(first).toMatchObject({ why: 'risk', subjects: [{ input: { text: 'Dear' } }] });
    expect(await decide(first, 'revise', { guidance: 'friendlier' })).toMatchObject({
      status: 200,
      json: { applied: expect.stringMatching(TAKEN) },
    });
    const task = await server.take('writers');
    expect(task.data).toMatchObject({ guidance: 'friendlier', lease: { branch: 'b2' } });
    await server.answer(task, { text: 'Hello' });
    const second = await asked(run, [first.review]);
    expect(second).toMatchObject({
      branch: 'b2',
      previous: first.review,
      subjects: [{ input: { text: 'Hello' } }],
      diffToPrevious: [{ path: '/0/input/text', before: 'Dear', after: 'Hello' }],
    });
    // The old proposal is decided, and a second decision about it changes nothing.
    expect((await decide(first, 'approve')).status).toBe(409);
    expect((await decide(second, 'approve')).json).toMatchObject({ applied: expect.stringMatching(TAKEN) });
    const sent = await server.take('mail');
    expect(sent.data).toMatchObject({ input: { text: 'Hello' } });
    await server.answer(sent, {});
    expect(await ends(run)).toMatchObject({ outcome: 'succeeded' });
    await kept(run);
  });

  it('falls back to who else can propose it; where nobody is left the outcome stops', async () => {
    const run = await start('letters', 'others');
    await server.answer(await server.take('writers'), { text: 'Dear' });
    const first = await asked(run);
    expect((await decide(first, 'reject')).json).toMatchObject({ applied: expect.stringMatching(TAKEN) });
    const task = await server.take('others');
    expect(task.data).toMatchObject({ lease: { branch: 'b2' } });
    await server.answer(task, { text: 'Hi' });
    const second = await asked(run, [first.review]);
    expect(second.options.find(({ id }) => id === 'reject')).toMatchObject({ then: 'stop' });
    expect((await decide(second, 'reject')).json).toMatchObject({ applied: expect.stringMatching(TAKEN) });
    expect(await ends(run)).toMatchObject({ outcome: 'failed' });
    await kept(run);
  });

  it('after a long wait is asked for once; what came meanwhile goes on when they say so', async () => {
    const run = await start('papers', 'stale');
    const review = await asked(run);
    expect(review).toMatchObject({ why: 'after_wait', step: 'doubt' });
    expect(await server.get(`runs/${run}`)).toMatchObject({ state: 'in_review', sub: 'after_wait' });
    await server.call('POST', `runs/${run}/signals/paper`, {});
    await server.until(
      async () => ((await server.get(`runs/${run}/waits`))['items'] as JsonObject[]).some(({ state }) => state !== 'open') || undefined,
    );
    expect(await server.get(`runs/${run}`)).toMatchObject({ state: 'in_review' });
    expect((await decide(review, 'approve')).json).toMatchObject({ applied: expect.stringMatching(TAKEN) });
    await server.answer(await server.take('files'), {});
    expect(await ends(run)).toMatchObject({ outcome: 'succeeded' });
    await kept(run);
  });

  it('opens a wait again whose deadline has passed, and then gives it up', async () => {
    const run = await start('chased', 'again');
    const first = await asked(run);
    expect(first).toMatchObject({ why: 'planned', step: 'chase' });
    expect((await decide(first, 'approve')).json).toMatchObject({ applied: expect.stringMatching(TAKEN) });
    const second = await asked(run, [first.review]);
    expect((await decide(second, 'reject')).json).toMatchObject({ applied: expect.stringMatching(TAKEN) });
    expect(await ends(run)).toMatchObject({ outcome: 'gave_up' });
    await kept(run);
  });
});
