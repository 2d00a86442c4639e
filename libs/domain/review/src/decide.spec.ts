import { describe, expect, it } from '@jest/globals';
import { epochMsOf, idOf, instantOf, reviewStream, sealAppend, type Decision, type Principal, type StoredEvent } from '@cairn/kernel';
import type { ReviewOpened, ReviewStreamEvent } from './events.js';
import {
  claimReview,
  closeReview,
  commentReview,
  decideReview,
  escalateReview,
  openReview,
  passTime,
  reassignReview,
  releaseReview,
  REVIEW_EVENTS_MAX,
} from './decide.js';
import { evolveReview, statusOf, type ReviewState } from './evolve.js';
import { reviewView } from './view.js';
import type { ReviewRejection } from './who.js';

const START = epochMsOf('2026-11-23T09:00:00.000Z');
const HOUR_MS = 3_600_000;
const reviewId = idOf('review', 'run', 'main', 'ask', 1);
const digest = 'd'.repeat(64);
const at = (hours: number): string => instantOf(START + hours * HOUR_MS);
const person = (name: string, more: Partial<Principal> = {}): Principal => ({
  id: `user:${name}`,
  roles: ['reviewer'],
  groups: [],
  ...more,
});
const [ana, ben, cleo] = [person('ana'), person('ben'), person('cleo')];

const request: ReviewOpened['data'] = {
  reviewId,
  run: idOf('run', 'default', 'w', 'k'),
  branch: 'main',
  requested: 4,
  workflow: 'w',
  goal: null,
  step: 'ask',
  why: 'planned',
  queue: 'desk',
  risk: 'high',
  question: 'Pay?',
  options: (['approve', 'edit', 'reject'] as const).map((verdict) => ({
    id: verdict,
    label: verdict,
    verdict,
    then: 'continue',
    preview: '',
  })),
  subjects: [{ step: 'pay', input: { amount: 5, to: 'V-1' }, params: {}, effect: null, digest }],
  subjectDigest: digest,
  editable: ['/amount'],
  candidates: [],
  quorum: { of: 1, notSameAs: [] },
  excluded: [],
  deadline: at(48),
  onDeadline: 'escalate',
  escalate: [],
  evidence: [],
  assumptions: [],
};

/** A review that is led by decisions and remembers its events, sealed as they would be stored. */
class Given {
  state: ReviewState | undefined;
  readonly stored: StoredEvent[] = [];

  constructor(more: Partial<ReviewOpened['data']> = {}) {
    this.when(openReview(undefined, { ...request, ...more }));
  }

  /** Names of the events, or why there are none. */
  when(decision: Decision<ReviewStreamEvent, ReviewRejection>): string[] | string {
    if (decision.kind === 'nothing') return `nothing: ${decision.because}`;
    if (decision.kind === 'rejected') return `rejected: ${decision.rejection.code}`;
    const place = {
      stream: reviewStream(reviewId),
      expected: this.stored.length === 0 ? ('no_stream' as const) : this.stored.length - 1,
      prevHash: this.stored.at(-1)?.metadata.hash ?? '',
    };
    const sealed = sealAppend({ ...place, ns: 'default', at: at(0), actor: 'user:spec', causationId: 'c' }, decision.events);
    this.stored.push(...sealed);
    this.state = sealed.reduce<ReviewState | undefined>((state, event) => evolveReview(state, event), this.state);
    return decision.events.map(({ type }) => type);
  }

  decide(by: Principal, verdict: 'approve' | 'reject' | 'edit' | 'abstain' | 'revise', more: object = {}): string[] | string {
    const revision = this.state?.revision ?? 0;
    return this.when(decideReview(this.state, { by, verdict, subjectDigest: digest, revision, reason: 'so', ...more }));
  }

  get status(): string {
    return this.state === undefined ? 'none' : statusOf(this.state);
  }
}

const amount = (value: unknown): object => ({ edits: [{ op: 'replace', path: '/amount', value }] });

describe('a decision', () => {
  it('is one, by a person with the role, about what was looked at (I-25)', () => {
    const review = new Given();
    expect(review.decide(ana, 'approve')).toEqual(['ReviewDecided']);
    expect(review.status).toBe('decided');
    expect(review.decide(ana, 'approve')).toBe('rejected: review_closed');
    expect(review.decide(ben, 'reject')).toBe('rejected: review_closed');
    expect(reviewView(review.state as ReviewState)).toMatchObject({
      status: 'decided',
      decision: { verdict: 'approve', by: ['user:ana'] },
    });
  });

  it('about another subject or an older revision is told what won (B-33)', () => {
    const review = new Given();
    const seen = review.state?.revision ?? 0;
    review.when(commentReview(review.state, { by: ben, text: 'wait' }));
    const stale = decideReview(review.state, { by: ana, verdict: 'approve', subjectDigest: digest, revision: seen, reason: 'so' });
    expect(stale).toMatchObject({
      kind: 'rejected',
      rejection: { code: 'digest_mismatch', expected: 1, got: { revision: 1, event: 'ReviewCommented' } },
    });
    expect(review.decide(ana, 'approve', { subjectDigest: 'e'.repeat(64) })).toBe('rejected: digest_mismatch');
    expect(review.decide(ana, 'approve', { revision: 99 })).toBe('rejected: digest_mismatch');
    expect(review.decide(ana, 'approve')).toEqual(['ReviewDecided']);
  });

  it.each<[string, Principal, string]>([
    ['an agent, whatever its roles', { id: 'agent:planner', roles: ['reviewer', 'admin'], groups: [] }, 'decider_not_human'],
    ['a handler', { id: 'handler:pay', roles: ['reviewer'], groups: [] }, 'decider_not_human'],
    ['a viewer', person('vic', { roles: ['viewer'] }), 'role_missing'],
    ['an admin who is no reviewer', person('adi', { roles: ['admin'] }), 'role_missing'],
    ['the one who asked (four eyes)', person('eve'), 'four_eyes'],
    ['one who was not asked', person('zoe'), 'not_candidate'],
  ])('is never that of %s (B-34)', (_, by, code) => {
    const review = new Given({
      candidates: ['user:ana', 'group:cfo', 'user:eve'],
      excluded: [{ who: 'user:eve', because: 'run.starter' }],
    });
    expect(review.decide(by, 'approve')).toBe(`rejected: ${code}`);
    expect(review.when(claimReview(review.state, { by }))).toBe(`rejected: ${code}`);
    expect(review.decide(person('max', { groups: ['group:cfo'] }), 'approve')).toEqual(['ReviewDecided']);
  });

  it('edits within what may be edited, and of the type that it was', () => {
    const review = new Given();
    expect(review.decide(ana, 'edit', { edits: [{ op: 'replace', path: '/to', value: 'V-2' }] })).toBe('rejected: edits_invalid');
    expect(review.decide(ana, 'edit', amount('4'))).toBe('rejected: edits_invalid');
    expect(review.decide(ana, 'edit')).toBe('rejected: edits_invalid');
    expect(review.decide(ana, 'approve', amount(4))).toBe('rejected: edits_invalid');
    expect(review.decide(ana, 'revise')).toBe('rejected: verdict_unknown');
    expect(review.decide(ana, 'edit', amount(4))).toEqual(['ReviewDecided']);
  });
});

describe('a claim', () => {
  it('is exclusive: of two one has it, and the other is told who (F-44)', () => {
    const review = new Given();
    expect(review.when(claimReview(review.state, { by: ana }))).toEqual(['ReviewClaimed']);
    expect(review.when(claimReview(review.state, { by: ana }))).toBe('nothing: duplicate');
    expect(claimReview(review.state, { by: ben })).toMatchObject({ rejection: { code: 'review_claimed', expected: 'user:ana' } });
    expect(review.decide(ben, 'approve')).toBe('rejected: review_claimed');
    expect(review.when(releaseReview(review.state, { by: ben }))).toBe('rejected: review_claimed');
    expect(review.when(claimReview(review.state, { by: ben, force: true }))).toEqual(['ReviewClaimed']);
    expect(review.stored.at(-1)?.data).toMatchObject({ by: 'user:ben', takenFrom: 'user:ana' });
    expect(review.when(releaseReview(review.state, { by: ben }))).toEqual(['ReviewReleased']);
    expect(review.when(releaseReview(review.state, { by: ben }))).toBe('nothing: unchanged');
  });

  it('ends when the review is handed to somebody else, who may then decide', () => {
    const review = new Given({ candidates: ['user:ana'], excluded: [{ who: 'user:eve', because: 'run.starter' }] });
    review.when(claimReview(review.state, { by: ana }));
    expect(review.when(reassignReview(review.state, { by: ana, to: 'user:eve' }))).toBe('rejected: four_eyes');
    expect(review.when(reassignReview(review.state, { by: ana, to: 'user:ben', reason: 'his vendor' }))).toEqual(['ReviewReassigned']);
    expect(review.decide(ben, 'approve')).toEqual(['ReviewDecided']);
  });
});

describe('a quorum', () => {
  it('needs so many people with the same word; each counts once, and by the newest', () => {
    const review = new Given({ quorum: { of: 2, notSameAs: [] } });
    expect(review.decide(ana, 'approve')).toEqual(['VoteCast']);
    expect(review.decide(ana, 'approve')).toEqual(['VoteCast']);
    expect(review.decide(ben, 'abstain')).toEqual(['VoteCast']);
    expect(review.decide(cleo, 'edit', amount(4))).toEqual(['VoteCast']);
    expect(review.status).toBe('open');
    expect(review.decide(ben, 'edit', amount(3))).toEqual(['VoteCast']); // Another edit is another word.
    expect(review.decide(ben, 'approve')).toEqual(['VoteCast', 'ReviewDecided']);
    expect(review.stored.at(-1)?.data).toMatchObject({ verdict: 'approve', by: ['user:ana', 'user:ben'] });
  });

  it('agrees on the option where a verdict has several, and hands on what each of them wants to be different', () => {
    const of = (id: string, verdict: 'approve' | 'revise', then: string) => ({ id, label: id, verdict, then, preview: id });
    const options = [
      of('fallback:0', 'approve', 'fallback:0'),
      of('fallback:1', 'approve', 'fallback:1'),
      of('revise', 'revise', 'branch'),
    ];
    const review = new Given({ quorum: { of: 2, notSameAs: [] }, options });
    expect(review.decide(ana, 'approve')).toBe('rejected: verdict_unknown');
    expect(review.decide(ana, 'approve', { option: 'fallback:0' })).toEqual(['VoteCast']);
    expect(review.decide(ben, 'approve', { option: 'fallback:1' })).toEqual(['VoteCast']);
    expect(review.decide(cleo, 'revise', { guidance: 'shorter' })).toEqual(['VoteCast']);
    expect(review.decide(ana, 'revise', { guidance: 'in German' })).toEqual(['VoteCast', 'ReviewDecided']);
    expect(review.stored.at(-1)?.data).toMatchObject({ option: 'revise', by: ['user:cleo', 'user:ana'], guidance: 'shorter\nin German' });
  });

  it('of one has no abstaining', () => {
    expect(new Given().decide(ana, 'abstain')).toBe('rejected: quorum_needed');
  });
});

describe('time', () => {
  const pass = (review: Given, hours: number): string[] | string => review.when(passTime(review.state, { now: START + hours * HOUR_MS }));

  it('passes up along the chain, then at the deadline, and never decides (I-26)', () => {
    const review = new Given({ escalate: [{ to: 'group:cfo', at: at(24) }], candidates: ['user:ana'] });
    expect(pass(review, 23)).toBe('nothing: early');
    expect(pass(review, 24)).toEqual(['ReviewEscalated']);
    expect(review.stored.at(-1)?.data).toMatchObject({ level: 1, to: 'group:cfo', because: 'chain' });
    expect(pass(review, 47)).toBe('nothing: early');
    expect(pass(review, 48)).toEqual(['ReviewEscalated']);
    expect(review.stored.at(-1)?.data).toMatchObject({ level: 2, to: null, because: 'deadline' });
    expect(pass(review, 1_000)).toBe('nothing: early');
    expect(reviewView(review.state as ReviewState).escalation).toMatchObject({ level: 2, overdue: true });
    expect(review.decide(person('max', { groups: ['group:cfo'] }), 'approve')).toBe('rejected: not_candidate'); // It is at its end, and theirs again.
    expect(review.decide(ana, 'approve')).toEqual(['ReviewDecided']);
    expect(pass(review, 1_001)).toBe('nothing: late');
  });

  it.each(['stop', 'block', 'step:tell'])('ends the review at its deadline where it says %s', (onDeadline) => {
    const review = new Given({ onDeadline });
    expect(pass(review, 48)).toEqual(['ReviewExpired']);
    expect(review.status).toBe('expired');
    expect(review.decide(ana, 'approve')).toBe('rejected: review_closed');
  });

  it('is not waited for by a person who passes it up', () => {
    const review = new Given();
    expect(review.when(escalateReview(review.state, { by: ana, to: 'user:ben', reason: 'too large for me' }))).toEqual(['ReviewEscalated']);
    expect(review.stored.at(-1)?.data).toMatchObject({ level: 1, to: 'user:ben', because: 'person' });
  });
});

describe('the end', () => {
  it('of the question marks a decision that came too late as not applied', () => {
    const review = new Given();
    review.decide(ana, 'approve');
    expect(review.when(closeReview(review.state, { because: 'withdrawn', says: 'the run has ended' }))).toEqual(['ReviewClosed']);
    expect(reviewView(review.state as ReviewState)).toMatchObject({ status: 'withdrawn', closed: { notApplied: true } });
    expect(review.when(closeReview(review.state, { because: 'withdrawn', says: 'again' }))).toBe('nothing: duplicate');
  });

  it('of what one review may hold is known, and a decision is taken all the same', () => {
    const review = new Given();
    for (let i = 1; i < REVIEW_EVENTS_MAX; i++) review.when(commentReview(review.state, { by: ana, text: String(i) }));
    expect(review.when(commentReview(review.state, { by: ana, text: 'one more' }))).toBe('rejected: review_full');
    expect(review.decide(ana, 'approve')).toEqual(['ReviewDecided']);
  });
});
