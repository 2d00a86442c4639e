import { describe, expect, it } from '@jest/globals';
import { runStream } from '@cairn/kernel';
import { inWorld, person, RUN } from './review-world.js';

const review = (of: object = {}, id = 'ask', more: object = {}): object => ({
  id,
  review: { queue: 'desk', question: 'Pay ${input.id}?', deadline: '2h', ...of },
  ...more,
});
const pay = (more: object = {}): object => ({
  id: 'pay',
  purpose: 'pay the invoice',
  risk: 'high',
  effect: { queue: 'erp', key: 'invoice:${input.id}', guarantee: 'idempotent' },
  input: { amount: '${input.amount}' },
  ...more,
});
const asked = { authorises: ['pay'], editable: ['/amount'] };
const HOUR_MS = 3_600_000;
const [ana, ben] = [person('ana'), person('ben')];
const STARTED = ['CheckpointReached', 'StepStarted', 'EffectIntended'];

describe('human-review', () => {
  it('opens what a run asks for, brings the decision to it, and both streams agree (I-25, I-27)', () =>
    inWorld(async (world) => {
      await world.startRun([review(asked), pay()]);
      expect(await world.review()).toMatchObject({ status: 'open', run: RUN, question: 'Pay I-1?', subjects: [{ input: { amount: 5 } }] });
      expect(await world.decide(ana, 'approve')).toMatchObject({ kind: 'done', applied: 'yes', review: { status: 'decided' } });
      expect((await world.types()).slice(-4)).toEqual(['VerdictApplied', ...STARTED]);
      const verdict = (await world.store.read(runStream(RUN, 'main'))).find(({ type }) => type === 'VerdictApplied');
      expect(verdict).toMatchObject({ actor: 'user:ana', data: { by: ['user:ana'], decided: 1 } });
      expect(await world.violations()).toEqual([]);
    }));

  it('tells the bus of all that happens to a review, in order, and goes on telling where it was stopped', () =>
    inWorld(async (world) => {
      const heard = await world.hearReviews();
      await world.startRun([review({ ...asked, quorum: { of: 2 } }), pay()]);
      await world.ask(ana, 'comment', { text: 'odd' });
      await world.stopHumanReview();
      await world.startHumanReview();
      await world.decide(ana, 'approve');
      await world.decide(ben, 'approve');
      await world.pass(2_000);
      const { review: reviewId } = await world.review();
      const once = [...new Map(heard.map((message) => [message.id, message])).values()];
      expect(once.map(({ subject }) => subject)).toEqual(
        ['review-opened', 'review-commented', 'vote-cast', 'vote-cast', 'review-decided'].map(
          (event) => `cairn.default.evt.review.${event}.${reviewId}`,
        ),
      );
      expect(once.at(-1)?.body).toMatchObject({
        ns: 'default',
        reviewId,
        runId: RUN,
        branch: 'main',
        step: 'ask',
        revision: 4,
        event: 'ReviewDecided',
      });
    }));

  it('finds by its own what was asked while it was away, once (F-55)', () =>
    inWorld(async (world) => {
      await world.stopHumanReview();
      await world.startRun([review(asked), pay()]);
      await expect(world.review()).rejects.toThrow('no review');
      await world.startHumanReview();
      await world.pass(100);
      expect(await world.review()).toMatchObject({ status: 'open', revision: 0 });
    }));

  it('brings a decision that was taken while execution was away when it is back (F-11)', () =>
    inWorld(async (world) => {
      await world.startRun([review(asked), pay()]);
      await world.stopExecution();
      expect(await world.decide(ana, 'approve')).toMatchObject({ kind: 'done', applied: 'pending' });
      await world.stopHumanReview();
      await world.startExecution();
      await world.startHumanReview();
      await world.pass(20_000);
      expect((await world.types()).slice(-4)).toEqual(['VerdictApplied', ...STARTED]);
      expect((await world.types()).filter((type) => type === 'VerdictApplied')).toHaveLength(1);
      expect(await world.violations()).toEqual([]);
    }));

  it('lets one of two who decide at once win, and tells the other what won (F-44, B-33)', () =>
    inWorld(async (world) => {
      await world.startRun([review(asked), pay()]);
      const seen = { ...(await world.seen()), reason: 'so' };
      const race = [
        world.asking(ana, 'decide', { ...seen, verdict: 'approve' }),
        world.asking(ben, 'decide', { ...seen, verdict: 'reject' }),
      ];
      const [first, second] = await world.settle(Promise.all(race));
      expect(new Set([first?.kind, second?.kind])).toEqual(new Set(['done', 'rejected']));
      const lost = first?.kind === 'rejected' ? first : second;
      expect(lost).toMatchObject({ rejection: { code: 'review_closed', got: { event: 'ReviewDecided' } } });
      expect(await world.violations()).toEqual([]);
    }));

  it('records a decision that the run did not take any more as not applied, and says so to whoever decided', () =>
    inWorld(async (world) => {
      await world.startRun([review(asked), pay()]);
      const seen = { ...(await world.seen()), verdict: 'approve', reason: 'so' };
      // Nobody tells the review yet that its run has ended.
      await world.stopHumanReview();
      await world.command('CancelRun', {});
      await world.startHumanReview();
      const answer = await world.settle(world.asking(ana, 'decide', seen));
      await world.pass(10_000);
      const view = await world.review();
      if (answer.kind === 'rejected')
        expect(answer.rejection.code).toBe('review_closed'); // It had heard of it already.
      else expect(answer).toMatchObject({ applied: 'no', says: expect.stringContaining('too late') as never });
      expect(view.status).toBe('withdrawn');
      expect(await world.types()).not.toContain('VerdictApplied');
      expect(await world.violations()).toEqual([]);
    }));

  it('takes no decision about what has changed meanwhile: the run asks again, with the difference on top', () =>
    inWorld(async (world) => {
      const rate = { id: 'rate', after: [], task: { queue: 'q' } };
      const input = { amount: "${steps.rate.status == 'succeeded' ? 7 : 5}" };
      await world.startRun([rate, review(asked, 'ask', { after: [] }), pay({ after: ['ask'], input })]);
      const started = (await world.store.read(runStream(RUN, 'main'))).find(({ type }) => type === 'StepStarted');
      const attemptId = String(started?.data['attemptId']);
      await world.reply(attemptId);
      expect(await world.decide(ana, 'approve')).toMatchObject({ applied: 'no', says: expect.stringContaining('asks again') as never });
      await world.pass(10_000);
      expect(await world.review('ask', 1)).toMatchObject({ status: 'invalidated', closed: { notApplied: true } });
      expect(await world.review('ask', 2)).toMatchObject({
        status: 'open',
        diffToPrevious: [{ path: '/0/input/amount', before: 5, after: 7 }],
      });
      expect(await world.violations()).toEqual([]);
    }));

  it('forged commands are worth nothing: execution reads the review itself (W-8)', () =>
    inWorld(async (world) => {
      await world.startRun([review(asked), pay()]);
      const { review: reviewId, subjectDigest } = await world.review();
      const recorded = {
        type: 'ReviewDecided',
        runId: RUN,
        data: { reviewId, verdict: 'approve', subjectDigest, by: ['user:eve'], reason: '' },
      };
      for (const revision of [0, 1, 99])
        expect(await world.command('ApplyVerdict', { reviewId, revision, recorded })).toMatchObject({
          kind: 'rejected',
          rejection: { code: 'decision_unproven' },
        });
      expect(await world.types()).not.toContain('EffectIntended');
    }));

  it.each([
    ['whoever started the run, if he is known by name', { starter: 'user:ana' }, {}, 'run.starter'],
    ['whoever wrote the definition', { author: 'user:ana' }, {}, 'definition.author'],
    ['the one holder of the only token, where the definition says so', {}, { quorum: { notSameAs: ['run.starter'] } }, 'run.starter'],
  ])('four eyes: not %s (I-25)', (_, by, of, because) =>
    inWorld(async (world) => {
      await world.startRun([review({ ...asked, ...of }), pay()], by);
      const [excluded] = (await world.review()).excluded;
      expect(excluded).toMatchObject({ because });
      const who = person((excluded?.who ?? '').slice('user:'.length));
      expect(await world.decide(who, 'approve')).toMatchObject({ kind: 'rejected', rejection: { code: 'four_eyes' } });
      expect(await world.decide(ben, 'approve')).toMatchObject({ applied: 'yes' });
    }),
  );

  it('four eyes: not who decided the step before, where the definition says so', () =>
    inWorld(async (world) => {
      await world.startRun([review({}, 'first'), review({ ...asked, quorum: { notSameAs: ['step:first'] } }), pay()]);
      await world.decide(ana, 'approve', {}, 'first');
      await world.pass(100);
      expect(await world.decide(ana, 'approve')).toMatchObject({ rejection: { code: 'four_eyes' } });
      expect(await world.decide(ben, 'approve')).toMatchObject({ applied: 'yes' });
    }));

  it('four eyes: not who decides beside it a step that it must not share its people with, and his vote counts no more', () =>
    inWorld(async (world) => {
      const quorum = { of: 2, notSameAs: ['step:first'] };
      await world.startRun([
        review({}, 'first', { after: [] }),
        review({ ...asked, quorum }, 'ask', { after: [] }),
        pay({ after: ['ask'] }),
      ]);
      expect(await world.decide(ana, 'approve')).toMatchObject({ applied: 'open' });
      await world.decide(ana, 'approve', {}, 'first');
      await world.pass(100);
      expect(await world.decide(ana, 'approve')).toMatchObject({ rejection: { code: 'four_eyes' } });
      expect(await world.decide(ben, 'approve')).toMatchObject({ applied: 'open' });
      expect(await world.decide(person('cleo'), 'approve')).toMatchObject({
        applied: 'yes',
        review: { decision: { by: ['user:ben', 'user:cleo'] } },
      });
      expect(await world.violations()).toEqual([]);
    }));

  it('four eyes: who decides both in the same moment has decided one, and the run asks again about the other', () =>
    inWorld(async (world) => {
      await world.startRun([
        review({}, 'first', { after: [] }),
        review({ ...asked, quorum: { of: 1, notSameAs: ['step:first'] } }, 'ask', { after: [] }),
        pay({ after: ['ask'] }),
      ]);
      const answers = await Promise.all([world.decide(ana, 'approve', {}, 'first'), world.decide(ana, 'approve', {}, 'ask')]);
      const [taken, refused] = 'applied' in answers[0] && answers[0].applied === 'yes' ? ['first', 'ask'] : ['ask', 'first'];
      expect(answers).toContainEqual(expect.objectContaining({ applied: 'yes' }));
      expect(answers).toContainEqual(
        expect.objectContaining({ applied: 'no', says: `four eyes: user:ana has decided ${taken}; the run asks again` }),
      );
      await world.pass(100);
      const excluded = [{ who: 'user:ana', because: `step:${taken}` }];
      expect(await world.review(refused, 2)).toMatchObject({ status: 'open', excluded });
      expect(await world.violations()).toEqual([]);
    }));

  it('four eyes: also not who decided it on the branch that this one grew from', () =>
    inWorld(async (world) => {
      const scan = { id: 'scan', task: { queue: 'q' } };
      await world.startRun([review({}, 'first'), scan, review({ ...asked, quorum: { notSameAs: ['step:first'] } }), pay()]);
      await world.decide(ana, 'approve', {}, 'first');
      await world.pass(100);
      const data = {
        from: { branch: 'main', at: 'scan' },
        cause: 'override',
        reason: 'by hand',
        changes: [{ op: 'add', path: '/skip/scan', value: true }],
      };
      expect(await world.command('OpenBranch', data)).toMatchObject({ kind: 'accepted' });
      await world.pass(1_000);
      expect((await world.review('ask', 1, 'b2')).excluded).toContainEqual(
        expect.objectContaining({ who: 'user:ana', because: 'step:first' }),
      );
    }));

  it('passes up along the chain and at the deadline, echoed in the run; silence never approves (C-REVIEW, I-26)', () =>
    inWorld(async (world) => {
      await world.startRun([review({ ...asked, escalate: [{ to: 'group:cfo', after: '1h' }] }), pay()]);
      await world.pass(HOUR_MS);
      expect(await world.last()).toMatchObject({ type: 'ReviewEscalated', data: { level: 1, to: 'group:cfo', because: 'chain' } });
      await world.pass(HOUR_MS);
      expect(await world.last()).toMatchObject({ type: 'ReviewEscalated', data: { level: 2, to: null, because: 'deadline' } });
      await world.pass(3 * HOUR_MS);
      expect(await world.types()).not.toContain('VerdictApplied');
      expect(await world.review()).toMatchObject({ status: 'open', escalation: { level: 2, overdue: true } });
      expect(await world.decide(ana, 'approve')).toMatchObject({ applied: 'yes' });
      expect(await world.violations()).toEqual([]);
    }));

  it('ends at the deadline where the definition says so, also if it was away then (I-26)', () =>
    inWorld(async (world) => {
      await world.startRun([review({ ...asked, onDeadline: 'stop' }), pay()]);
      await world.stopHumanReview();
      await world.pass(3 * HOUR_MS);
      await world.startHumanReview();
      await world.pass(10_000);
      expect((await world.types()).slice(-2)).toEqual(['VerdictApplied', 'RunFailed']);
      expect(await world.decide(ana, 'approve')).toMatchObject({ rejection: { code: 'review_closed' } });
      expect(await world.violations()).toEqual([]);
    }));

  it('needs as many people as the definition says, each once', () =>
    inWorld(async (world) => {
      await world.startRun([review({ ...asked, quorum: { of: 2 } }), pay()]);
      expect(await world.decide(ana, 'approve')).toMatchObject({ applied: 'open' });
      expect(await world.decide(ana, 'approve')).toMatchObject({ applied: 'open' });
      expect(await world.decide(ben, 'approve')).toMatchObject({ applied: 'yes', review: { decision: { by: ['user:ana', 'user:ben'] } } });
      expect(await world.violations()).toEqual([]);
    }));

  it.each<[string, object]>([
    ['claim-review', { reviewId: 'x', by: ana, data: {} }],
    ['claim-review', { reviewId: '0'.repeat(26), by: { id: 'user:ana' }, data: {} }],
    ['claim-review', { reviewId: '0'.repeat(26), by: ana, data: { forced: 1 } }],
    ['judge-review', { reviewId: '0'.repeat(26), by: ana, data: {} }],
  ])('a message %s that is none is never taken: %j', (verb, body) =>
    inWorld(async (world) => {
      const message = { subject: `cairn.default.cmd.human-review.${verb}`, id: 'm', body: body as never };
      expect(await world.settle(world.bus.ask(message, 5_000))).toMatchObject({ kind: 'rejected' });
    }),
  );
});
