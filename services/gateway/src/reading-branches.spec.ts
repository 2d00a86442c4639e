import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { idOf, type Id, type JsonObject } from '@cairn/kernel';
import { waitUntil } from '@cairn/testkit';
import { recovered, type BranchedHistory } from './spec/branched-histories.js';
import { told, waitId } from './spec/histories.js';
import { openRig, type Got, type Rig } from './spec/rig.js';

// Whoever reads a run knows its branches: history, stream, state, waits, effects, retries, why.

const RUN: Id = idOf('run', 'default', 'w', 'V-1');

describe('a run that went on on another branch', () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await openRig();
  });
  afterEach(() => rig.close());

  async function store({ stored }: BranchedHistory): Promise<void> {
    for (const event of stored) await rig.store.append(event.stream, event.revision === 0 ? 'no_stream' : event.revision - 1, [event]);
  }
  const send = (path: string, headers: Record<string, string> = {}): Promise<Got> =>
    rig.send({ path: `/v1/default/runs/${RUN}${path}`, headers });
  const get = async (path: string): Promise<JsonObject> => (await send(path)).json;
  const places = ({ branches }: JsonObject): readonly string[] =>
    (branches as readonly { branch: string; events: readonly { revision: number }[] }[]).flatMap(({ branch, events }) =>
      events.length === 0 ? [`${branch}: nothing`] : events.map(({ revision }) => `${branch}@${revision}`),
    );

  it('shows its history branch after branch, in pages that join over branches, or one branch alone', async () => {
    await store(recovered(RUN));
    const whole = await get('/history');
    const all = places(whole);
    expect(all.slice(-6)).toEqual(['main@7', 'main@8', 'b2@0', 'b2@1', 'b2@2', 'b2@3']);
    const paged: string[] = [];
    for (let next: unknown = 0; next !== undefined;) {
      const page = await get(`/history?limit=3&from=${String(next)}`);
      expect(places(page).length).toBeLessThanOrEqual(3);
      paged.push(...places(page));
      next = page['next'];
    }
    expect(paged).toEqual(all);
    expect(places(await get('/history?branch=b2&from=2'))).toEqual(['b2@2', 'b2@3']);
    expect(await get('/history?branch=b2&limit=1')).toMatchObject({ next: 1 });
    expect(await get('/history?limit=10')).toMatchObject({ next: 'b2@1' });
    expect(places(await get('/history?from=b2@3'))).toEqual(['b2@3']);
  });

  it('is found by what its branches were opened for, by its failures, its sub-state, its age and its attributes (U-1, C-REDUCED)', async () => {
    await store(recovered(RUN));
    const found = async (query: string): Promise<unknown> => {
      const { status, json } = await rig.send({ path: `/v1/default/runs?${query}` });
      return status === 200 ? (json['items'] as readonly JsonObject[]).map(({ run }) => run === RUN) : (json['errors'] ?? status);
    };
    await waitUntil('the list knows it', async () => String(await found('cause=fallback')) === 'true' || undefined);
    for (const query of ['bucket=timeout', 'sub=signal', 'stale=false', 'olderThan=10s', 'state=waiting&cause=fallback'])
      expect([query, await found(query)]).toEqual([query, [true]]);
    for (const query of ['cause=correction', 'bucket=network', 'sub=reduced', 'stale=true', 'olderThan=1m', 'attr.key=7'])
      expect([query, await found(query)]).toEqual([query, []]);
    for (const query of ['cause=luck', 'bucket=odd', 'stale=yes', 'olderThan=old'])
      expect([query, await found(query)]).toMatchObject([query, [{ pointer: `/${query.split('=')[0]}`, rule: 'invalid_parameter' }]]);
    expect(await found('attrs=1')).toMatchObject([{ pointer: '/attrs', rule: 'unknown_parameter' }]);
  });

  it('says of a branch or a revision that is not there which it is, and what there is', async () => {
    await store(recovered(RUN));
    const refused = async (path: string) => {
      const { status, json } = await send(path);
      return [status, json['code'], json['detail']];
    };
    expect(await refused('/history?branch=b3')).toEqual([404, 'branch_not_found', 'The run has no branch b3: it has main, b2.']);
    expect(await refused('/history?from=b7@0')).toEqual([404, 'branch_not_found', 'The run has no branch b7: it has main, b2.']);
    expect(await refused('/stream?from=b7@0')).toEqual([404, 'branch_not_found', 'The run has no branch b7: it has main, b2.']);
    expect(await refused('/state?at=b3@1')).toEqual([404, 'branch_not_found', 'The run has no branch b3: it has main, b2.']);
    const beyond = 'Branch b2 has no revision 4: its last one is b2@3.';
    expect(await refused('/state?at=b2@4')).toEqual([404, 'revision_not_found', beyond]);
    expect(places(await get('/history?branch=b2&from=99'))).toEqual(['b2: nothing']);
    for (const path of ['/history?from=x', '/history?from=X@1', '/history?from=b2@', '/history?branch=main&from=b2@1', '/stream?from=b2@x'])
      expect([path, (await send(path)).status, (await get(path))['code']]).toEqual([path, 400, 'invalid_query']);
  });

  it('folds the state of each branch at each of its revisions as the domain does, and of none the head', async () => {
    const history = recovered(RUN);
    await store(history);
    for (const [branch, events] of history.branches)
      for (const { revision } of events) expect(await get(`/state?at=${branch}@${revision}`)).toMatchObject({ branch, revision });
    const head = await get('/state');
    expect(head).toMatchObject({ branch: 'b2', revision: 3, state: 'waiting', path: { steps: { a: { status: 'succeeded' } } } });
    expect(head).toMatchObject({ ledger: { branches: { main: { head: false }, b2: { head: true, epoch: 2 } } } });
    expect(await get('/state?branch=main')).toMatchObject({ branch: 'main', revision: 8, path: { steps: { b: { status: 'failed' } } } });
  });

  it('streams on from branch to branch with ids that resume, a plain number being of the first branch', async () => {
    await store(recovered(RUN).tell(told.waitTriggered(RUN, 'w'), told.waitSatisfied(RUN, 'w'), told.completed('ok')));
    const ids = async (headers: Record<string, string>, query = ''): Promise<readonly string[]> =>
      [...(await send(`/stream${query}`, headers)).text.matchAll(/^id: (.*)$/gm)].map(([, id = '']) => id);
    const all = await ids({});
    expect(all).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', 'b2@0', 'b2@1', 'b2@2', 'b2@3', 'b2@4', 'b2@5', 'b2@6']);
    for (const [i, id] of all.entries()) expect([id, await ids({ 'last-event-id': id })]).toEqual([id, all.slice(i + 1)]);
    expect(await ids({}, '?from=7')).toEqual(all.slice(7));
    expect(await ids({}, '?from=b2@5')).toEqual(all.slice(14));
    expect(await ids({}, '?from=99')).toEqual(all.slice(9));
  });

  it('waits for its end with whoever asked, and answers with that of the head', async () => {
    const history = recovered(RUN);
    await store(history);
    const answer = get('/result?waitMs=20000');
    const before = history.stored.length;
    history.tell(told.waitTriggered(RUN, 'w'), told.waitSatisfied(RUN, 'w'), told.completed('of b2'));
    for (const event of history.stored.slice(before)) await rig.store.append(event.stream, event.revision - 1, [event]);
    expect(await answer).toEqual({ run: RUN, state: 'complete', outcome: 'succeeded', output: 'of b2' });
    expect(await get('/why')).toMatchObject({
      state: 'complete',
      because: [{ kind: 'complete', says: expect.stringMatching(/ago on b2: succeeded/) }],
    });
  });

  it('shows a carried wait with the branch that it goes on on, in its run and in the list', async () => {
    await store(recovered(RUN));
    expect((await get('/waits'))['items']).toMatchObject([{ wait: waitId(RUN, 'w'), branch: 'b2', state: 'open' }]);
    const one = (): Promise<Got> => rig.send({ path: `/v1/default/waits/${waitId(RUN, 'w')}` });
    await waitUntil('the wait is shown on its new branch', async () => (await one()).json['branch'] === 'b2');
    expect((await one()).json).toMatchObject({ branch: 'b2', state: 'open' });
    const listed = (await rig.send({ path: '/v1/default/waits' })).json['items'];
    expect(listed).toMatchObject([{ branch: 'b2', step: 'w' }]);
  });

  it('tells every failure with its branch, and of a fallback what follows', async () => {
    await store(recovered(RUN).tell(told.stepStarted('c'), told.failed('c')));
    const { items } = await get('/retries');
    expect(items).toMatchObject([
      {
        step: 'b',
        branch: 'main',
        decided: {
          decision: 'fallback',
          opens: { branch: 'b2', cause: 'fallback', changes: [{ path: '/steps/b/queue', value: 'other' }] },
        },
      },
      { step: 'c', branch: 'b2' },
    ]);
    expect((items as readonly JsonObject[])[0]?.['says']).toContain('a declared alternative does the step from here on, on b2');
    expect((await get('/retries?step=b'))['items']).toHaveLength(1);
  });

  it('tells effects over all branches, in their order', async () => {
    const history = recovered(RUN).tell(
      told.stepStarted('e'),
      told.effectIntended('e'),
      told.failed('e'),
      told.effectLeft('EffectAbsent', 'e'),
    );
    history.fallback('e', 1, 'later').tell(told.stepStarted('e', 2), told.effectIntended('e', 2));
    history.tell(told.succeeded('e', 2), told.effectConfirmed('e', 2));
    await store(history);
    const { items } = await get('/effects');
    expect(items).toMatchObject([{ key: 'e', status: 'confirmed' }]);
    const [effect] = items as readonly { readonly history: readonly { event: string; branch: string }[] }[];
    expect(effect?.history.map(({ event, branch }) => `${branch} ${event}`)).toEqual([
      'b2 EffectIntended',
      'b2 EffectAbsent',
      'b3 EffectIntended',
      'b3 EffectConfirmed',
    ]);
  });

  it('says between the two appends that make a branch what is about to happen', async () => {
    const history = recovered(RUN).tell(told.stepStarted('c'), told.failed('c')).fallback('c', 1, 'other', false);
    await store(history);
    expect(await get('')).toMatchObject({ head: 'b3', revision: -1 });
    expect(await get('/state')).toMatchObject({ branch: 'b2' });
    expect((await send('/state?at=b3@0')).json).toMatchObject({
      code: 'revision_not_found',
      detail: 'Branch b3 is announced and not opened yet: it has no revision.',
    });
    const { because } = await get('/why');
    expect((because as readonly JsonObject[])[0]).toMatchObject({ kind: 'retry_due', step: 'c' });
    expect((because as readonly JsonObject[])[0]?.['says']).toContain('branch b3 is announced and not opened yet');
    expect(places(await get('/history')).at(-1)).toBe('b3: nothing');
  });
});
