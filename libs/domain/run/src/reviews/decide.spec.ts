import { describe, expect, it } from '@jest/globals';
import { sha256Hex, canon } from '@cairn/kernel';
import { GivenRun, planWith, RUN, START } from '../spec/given-run.js';
import { fingerprintOf } from '../effects/fingerprint.js';

const HOUR_MS = 3_600_000;
const review = (id: string, of: object = {}, more: object = {}): object => ({
  id,
  review: { queue: 'desk', question: 'Pay ${input.id}?', deadline: '2h', ...of },
  ...more,
});
const pay = (more: object = {}): object => ({
  id: 'pay',
  purpose: 'pay the invoice',
  risk: 'high',
  effect: { queue: 'erp', key: 'invoice:${input.id}', guarantee: 'idempotent' },
  input: { amount: '${input.amount}', to: 'V-1' },
  ...more,
});
const asked = { authorises: ['pay'], editable: ['/amount'] };
const plan = planWith([review('ask', asked), pay()]);
const started = (of = plan, input: object = { id: 'I-1', amount: 5 }): GivenRun => {
  const run = new GivenRun(of);
  run.start(input as never);
  return run;
};
const change = (path: string, value: unknown) => ({ edits: [{ op: 'replace', path, value }] }) as never;
const paidWith = (run: GivenRun): unknown => run.state.path.steps.get('pay')?.work?.input;

describe('a review', () => {
  it('is asked for with its checkpoint in one append; the run is in review, and says exactly what is approved (C-REVIEW, I-18)', () => {
    const run = new GivenRun(plan);
    expect(run.start({ id: 'I-1', amount: 5 })).toEqual(['RunStarted', 'CheckpointReached(ask)', 'ReviewRequested(ask)']);
    expect(run.state.status).toMatchObject({ state: 'in_review', sub: 'risk' });
    const input = { amount: 5, to: 'V-1' };
    const effect = { key: 'invoice:I-1', fingerprint: fingerprintOf(null, input) };
    const digest = sha256Hex(canon({ assumptions: {}, definition: plan.hash, effect, input, params: {}, step: 'pay' }));
    expect(run.history.at(-1)?.data).toMatchObject({
      question: 'Pay I-1?',
      risk: 'high',
      subjects: [{ step: 'pay', input, effect, digest }],
      subjectDigest: digest,
      options: [{ verdict: 'approve' }, { verdict: 'edit' }, { verdict: 'reject', then: 'stop' }],
      restores: 'ask.review',
    });
  });

  it('that is approved lets go what it authorises, and only that (I-23)', () => {
    const run = started();
    expect(run.verdict('ask', 'approve')).toEqual([
      'VerdictApplied(ask)',
      'CheckpointReached(pay)',
      'StepStarted(pay)',
      'EffectIntended(pay)',
    ]);
    expect(run.state.path.steps.get('ask')?.output).toEqual({ value: { by: ['user:ana'], reason: 'so', verdict: 'approve' } });
  });

  it('that is edited runs as edited, with another digest and another meaning of the effect', () => {
    const run = started();
    const [before] = [...run.state.path.reviews.values()];
    run.verdict('ask', 'edit', change('/amount', 4));
    expect(paidWith(run)).toEqual({ amount: 4, to: 'V-1' });
    expect(run.state.ledger.effects.get('invoice:I-1')?.fingerprint).toBe(fingerprintOf(null, { amount: 4, to: 'V-1' }));
    expect([...run.state.path.reviews.values()][0]?.subjectDigest).not.toBe(before?.subjectDigest);
  });

  it.each<[string, unknown]>([
    ['/to', 'V-2'],
    ['/amount', '4'],
    ['/amount/deep', 1],
    ['', { amount: 1, to: 'V-1' }],
  ])('takes no edit of %j to %j: outside, of another type, or to what is not there', (path, value) => {
    expect(started().verdict('ask', 'edit', change(path, value))).toBe('rejected: edits_invalid');
  });

  it('that is rejected ends the run, and what it authorises never starts (I-24)', () => {
    const run = started();
    expect(run.verdict('ask', 'reject')).toEqual(['VerdictApplied(ask)', 'RunFailed(ask)']);
    expect(run.state.end).toMatchObject({ outcome: 'failed', problem: { bucket: 'rejected' } });
  });

  it.each([
    ['skip', ['VerdictApplied(ask)', 'StepSkipped(pay)', 'StepStarted(after)']],
    ['continue', ['VerdictApplied(ask)', 'StepSkipped(pay)', 'StepStarted(after)']],
    ['give_up', ['VerdictApplied(ask)', 'RunGaveUp(ask)']],
    ['step:tell', ['VerdictApplied(ask)', 'StepSkipped(pay)', 'StepStarted(after)', 'StepStarted(tell)']],
  ])('that is rejected does what it declared: %s', (then, events) => {
    const side = then === 'step:tell' ? [{ id: 'tell', side: true, task: { queue: 'q' } }] : [];
    const of = { ...asked, verdicts: { approve: 'continue', reject: then } };
    const run = started(planWith([review('ask', of), pay(), { id: 'after', after: ['pay'], task: { queue: 'q' } }, ...side]));
    expect(run.verdict('ask', 'reject')).toEqual(events);
  });

  it('counts once: a verdict that is delivered again is known, another one comes too late', () => {
    const run = started();
    const reviewId = run.reviewId('ask');
    run.verdict('ask', 'approve');
    expect(run.verdict('ask', 'approve')).toBe('nothing: duplicate');
    const data = { reviewId, revision: 2, recorded: { type: 'ReviewDecided', runId: RUN, data: { reviewId, verdict: 'reject' } } };
    expect(run.when({ type: 'ApplyVerdict', data })).toBe('nothing: late');
  });

  it('takes no verdict that its own stream does not hold (W-8)', () => {
    const run = started();
    const reviewId = run.reviewId('ask');
    expect(run.when({ type: 'ApplyVerdict', data: { reviewId, revision: 1 } })).toBe('rejected: decision_unproven');
    const recorded = (type: string, data: object, runId = RUN): unknown =>
      run.when({ type: 'ApplyVerdict', data: { reviewId, revision: 1, recorded: { type, runId, data: data as never } } });
    expect(recorded('ReviewCommented', { reviewId })).toBe('rejected: decision_unproven');
    expect(recorded('ReviewDecided', { reviewId: 'other' })).toBe('rejected: decision_unproven');
    expect(recorded('ReviewDecided', { reviewId, verdict: 'approve' }, 'another')).toBe('rejected: decision_unproven');
    expect(run.verdict('ask', 'revise')).toBe('rejected: decision_unproven'); // Not offered.
    expect(run.verdict('none', 'approve')).toBe('rejected: review_not_found');
  });

  it('takes no verdict about another subject', () => {
    expect(started().verdict('ask', 'approve', { subjectDigest: '0'.repeat(64) })).toBe('rejected: digest_mismatch');
  });
});

describe('what was approved and what runs (I-23)', () => {
  const between = (more: object = {}): GivenRun =>
    started(
      planWith([
        review('ask', { ...asked, ...more }),
        { id: 'enrich', after: ['ask'], task: { queue: 'q' } },
        pay({ input: { amount: "${steps.enrich.status == 'succeeded' ? steps.enrich.output.amount : input.amount}", to: 'V-1' } }),
      ]),
    );

  it('asks again when it has changed since, names the review before, and runs only what the second one approved', () => {
    const run = between();
    run.verdict('ask', 'approve');
    const first = run.reviewId('ask');
    expect(run.succeed('enrich', { amount: 1_000 })).toEqual(['StepSucceeded(enrich)', 'CheckpointReached(ask)', 'ReviewRequested(ask)']);
    expect(run.history.at(-1)?.data).toMatchObject({ n: 2, previous: first, subjects: [{ input: { amount: 1_000 } }] });
    expect(run.state.status).toMatchObject({ state: 'in_review' });
    expect(run.verdict('ask', 'approve')).toEqual([
      'VerdictApplied(ask)',
      'CheckpointReached(pay)',
      'StepStarted(pay)',
      'EffectIntended(pay)',
    ]);
    expect(paidWith(run)).toEqual({ amount: 1_000, to: 'V-1' });
  });

  it('starts when nothing has changed', () => {
    const run = between();
    run.verdict('ask', 'approve');
    expect(run.succeed('enrich', { amount: 5 })).toContain('EffectIntended(pay)');
  });

  it('asks again when the approval has run out', () => {
    const run = between({ receiptTtl: '1h' });
    run.verdict('ask', 'approve');
    run.now = START + HOUR_MS;
    expect(run.succeed('enrich', { amount: 5 })).toContain('ReviewRequested(ask)');
    expect(run.verdict('ask', 'approve')).toContain('EffectIntended(pay)');
  });

  it('takes no decision about what has changed while it was looked at: the run withdraws the question and asks anew', () => {
    const run = started(
      planWith([
        { id: 'rate', after: [], task: { queue: 'q' } },
        review('ask', asked, { after: [] }),
        pay({ after: ['ask'], input: { amount: "${steps.rate.status == 'succeeded' ? 7 : 5}" } }),
      ]),
    );
    run.succeed('rate');
    expect(run.verdict('ask', 'approve')).toEqual(['ReviewWithdrawn(ask)', 'CheckpointReached(ask)', 'ReviewRequested(ask)']);
    expect(run.history.at(-3)?.data).toMatchObject({ because: 'subject_changed' });
    run.verdict('ask', 'approve');
    expect(paidWith(run)).toEqual({ amount: 7 });
  });

  it('a plain retry is what was approved; a retry that a policy changed asks again', () => {
    const run = started(planWith([review('ask', asked), pay({ params: { slow: 1 } })]));
    run.verdict('ask', 'edit', change('/amount', 4));
    const first = run.attempt('pay');
    run.fail('pay');
    expect(run.decideRetry(first, 'retry')).toEqual(['RetryDecided(pay)', 'StepStarted(pay)', 'EffectIntended(pay)']);
    expect(paidWith(run)).toEqual({ amount: 4, to: 'V-1' });
    run.fail('pay');
    run.decideBranch('pay', 'retry_modified', { patch: [{ op: 'replace', path: '/input/amount', value: 4_000 }] });
    run.openSuccessor();
    expect(run.when({ type: 'WakeRun', data: { kind: 'branch', branch: 'b2' } })).toEqual([
      'CheckpointReached(ask)',
      'ReviewRequested(ask)',
    ]);
    expect(run.history.at(-1)?.data).toMatchObject({ subjects: [{ input: { amount: 4_000 } }] });
    expect(run.verdict('ask', 'approve')).toEqual(['VerdictApplied(ask)', 'StepStarted(pay)', 'EffectIntended(pay)']);
    expect(paidWith(run)).toEqual({ amount: 4_000, to: 'V-1' });
  });

  it('is not asked where its own condition skipped the review', () => {
    const run = started(planWith([review('ask', asked, { when: 'input.amount > 100' }), pay()]));
    expect(run.state.path.steps.get('ask')?.status).toBe('skipped');
    expect(paidWith(run)).toEqual({ amount: 5, to: 'V-1' });
  });

  it('is asked for where a reduced path drops the review and not what it guards', () => {
    const steps = [{ id: 'scan', after: [], task: { queue: 'a' } }, review('ask', asked, { after: ['scan'] }), pay()];
    const run = started(planWith(steps, { reduced: [{ id: 'less', drops: ['scan', 'ask'], steps: [], summary: 'unseen' }] }));
    run.fail('scan');
    run.decideBranch('scan', 'reduce_scope', { reduce: 'less' });
    run.openSuccessor();
    expect(run.when({ type: 'WakeRun', data: { kind: 'branch', branch: 'b2' } })).toContain('ReviewRequested(ask)');
    expect(run.state.ledger.effects.size).toBe(0);
  });

  it('of a review that authorises nothing is its own input, which it hands on as edited', () => {
    const run = started(
      planWith([
        review('ask', { editable: ['/text'] }, { input: { text: 'Dear' } }),
        { id: 'mail', task: { queue: 'q' }, input: '${steps.ask.output.input}' },
      ]),
    );
    run.verdict('ask', 'edit', change('/text', 'Hello'));
    expect(run.state.path.steps.get('mail')?.work?.input).toEqual({ text: 'Hello' });
  });
});

describe('time, people and ends', () => {
  it('passed up is escalated, and still decided by people', () => {
    const run = started();
    expect(run.escalate('ask', 1)).toEqual(['ReviewEscalated(ask)']);
    expect(run.state.status).toMatchObject({ state: 'escalated', sub: 'risk' });
    expect(run.escalate('ask', 1)).toBe('nothing: duplicate');
    expect(run.verdict('ask', 'approve')).toContain('EffectIntended(pay)');
    expect(run.escalate('ask', 2)).toBe('nothing: late');
  });

  it.each([
    ['stop', ['VerdictApplied(ask)', 'RunFailed(ask)']],
    ['block', ['VerdictApplied(ask)']],
    ['step:tell', ['VerdictApplied(ask)', 'StepSkipped(pay)', 'StepStarted(tell)']],
  ])('expired does what it declared (%s), and never approves (I-26)', (onDeadline, events) => {
    const side = onDeadline === 'step:tell' ? [{ id: 'tell', side: true, task: { queue: 'q' } }] : [];
    const run = started(planWith([review('ask', { ...asked, onDeadline }), pay(), ...side]));
    expect(run.expireReview('ask', 'continue')).toEqual(events);
    expect(run.state.ledger.effects.size).toBe(0);
    if (onDeadline === 'block') expect(run.state.status).toMatchObject({ state: 'blocked', sub: 'awaiting_decision' });
  });

  it('that is passed up at its deadline does not expire', () => {
    expect(started().expireReview('ask', 'stop')).toBe('rejected: decision_unproven');
  });

  it('is withdrawn with the run, and nothing is applied after that (I-26, I-27)', () => {
    const run = started();
    expect(run.when({ type: 'CancelRun', data: {} })).toEqual(['ReviewWithdrawn(ask)', 'RunCancelled']);
    expect(run.verdict('ask', 'approve')).toBe('nothing: late');
  });

  it('is decided while the run is paused, and what follows starts when it goes on', () => {
    const run = started();
    run.when({ type: 'PauseRun', data: { by: 'operator' } });
    expect(run.verdict('ask', 'approve')).toEqual(['VerdictApplied(ask)']);
    expect(run.when({ type: 'UnpauseRun', data: { by: 'operator' } })).toEqual([
      'RunUnpaused',
      'CheckpointReached(pay)',
      'StepStarted(pay)',
      'EffectIntended(pay)',
    ]);
  });

  it('that is open is carried to a branch that a policy opens, under its id (architecture §3.2)', () => {
    const run = started(
      planWith([
        review('ask', asked, { after: [] }),
        pay({ after: ['ask'] }),
        { id: 'scan', after: [], task: { queue: 'a' }, fallback: [{ queue: 'b' }] },
      ]),
    );
    const reviewId = run.reviewId('ask');
    run.fail('scan');
    run.decideBranch('scan', 'fallback', { fallback: 0 });
    run.openSuccessor();
    run.when({ type: 'WakeRun', data: { kind: 'branch', branch: 'b2' } });
    expect(run.reviewId('ask')).toBe(reviewId);
    expect(run.verdict('ask', 'approve')).toContain('EffectIntended(pay)');
  });

  it('is asked once on a branch, however often the branch is told to begin', () => {
    const wake = { type: 'WakeRun', data: { kind: 'branch', branch: 'b2' } } as const;
    const scan = { id: 'scan', after: [], task: { queue: 'a' }, fallback: [{ queue: 'b' }] };
    const run = started(planWith([scan, review('ask', { ...asked, onDeadline: 'block' }, { after: ['scan'] }), pay()]));
    run.fail('scan');
    run.decideBranch('scan', 'fallback', { fallback: 0 });
    run.openSuccessor();
    run.when(wake);
    run.succeed('scan');
    run.now += 3 * HOUR_MS;
    expect(run.expireReview('ask', 'block')).toEqual(['VerdictApplied(ask)']);
    expect(run.when(wake)).toBe('nothing: unchanged');
  });
});
