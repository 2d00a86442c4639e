import { beforeAll, describe, expect, it } from '@jest/globals';
import { lifecycleMetricsOf } from '@cairn/gateway';
import { instantOf, type Id } from '@cairn/kernel';
import { House, type Worked } from './house.js';
import { samplesOf } from './samples.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The metrics of `capabilities.md` §2.2 that are folded from the history. */
const LIFECYCLE =
  /^cairn_(runs|runs_ended_total|effects_unknown|events_total|resumes_total|retry_(attempts|resolved)_total|(state|failure_to_decision)_seconds_(sum|count|bucket))$/;

const definitions = [
  {
    cairn: 1,
    name: 'approval',
    version: '1.0.0',
    steps: [
      { id: 'doc', wait: { any: [{ event: { type: 'doc.received', key: '${run.key}' } }], deadline: '4h', onDeadline: { value: null } } },
      { id: 'check', task: { queue: 'checks' }, timeout: '1h' },
    ],
  },
  {
    cairn: 1,
    name: 'nap',
    version: '1.0.0',
    steps: [
      { id: 'sleep', wait: { any: [{ timer: '2h' }] } },
      { id: 'rise', task: { queue: 'naps' } },
    ],
  },
  { cairn: 1, name: 'crawl', version: '1.0.0', steps: [{ id: 'page', task: { queue: 'pages' } }] },
  {
    cairn: 1,
    name: 'payment',
    version: '1.0.0',
    steps: [{ id: 'pay', effect: { queue: 'payments', key: '${run.key}', guarantee: 'none' }, purpose: 'pay the invoice' }],
  },
];

const OK: Worked = { output: 'ok' };
const failure = (bucket: string, code: string, more: object = {}): Worked => ({ failure: { bucket, code, message: code, ...more } });
const AUTH = failure('auth', 'http_401');
const NETWORK = failure('network', 'ECONNRESET');

/**
 * Goal: the lifecycle metrics give exactly the numbers that a scripted fleet of runs must give (C-M-RETRIES, C-M-RESUMES, C-M-RESOLVE,
 * C-M-DECIDE, C-M-STATETIME), the same after a restart, and the same as a recomputation from the history (U-20). Method: all services on
 * a memory store in virtual time, so that every duration is known.
 */
describe('a scripted fleet', () => {
  const house = new House();
  const approvals: Id[] = [];
  let samples: ReadonlyMap<string, number>;

  /** So many tasks of a queue are done, each as its run is to be. */
  async function work(queue: string, count: number, make: (run: Id) => Worked): Promise<void> {
    for (let i = 0; i < count; i++) await house.work(queue, make);
  }

  beforeAll(async () => {
    await house.start();
    for (const definition of definitions) await house.apply(definition);
    await approveFourteen();
    await crawlThree();
    await payTwo();
    await house.publish('doc.received', 'nobody'); // Kept for whoever may come.
    await house.pass(1_000);
    await house.publish('doc.received', 'nobody'); // The same event again is no other.
    await house.publish('never.heard.of', 'a0');
    samples = samplesOf(await house.exposition(), LIFECYCLE);
  });

  /**
   * Fourteen approvals wait. 0-6 go on well, 7-9 fail after it, 10 is paused and 11 cancelled before anything has come of it, 12 waits in
   * vain, and 13 is paused when its document comes. Beside them somebody naps.
   */
  async function approveFourteen(): Promise<void> {
    for (let i = 0; i < 14; i++) approvals.push(await house.run('approval', `a${i}`));
    await house.run('nap', 'n0');
    await house.pass(30 * MINUTE);
    await house.control(approvals[13]!, 'pause');
    await house.pass(30 * MINUTE);
    for (const i of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]) await house.publish('doc.received', `a${i}`);
    await house.control(approvals[10]!, 'pause');
    await house.control(approvals[11]!, 'cancel');
    await house.pass(MINUTE / 2);
    await work('checks', 10, (run) => ([7, 8, 9].includes(approvals.indexOf(run)) ? AUTH : OK));
    await house.pass(HOUR - MINUTE / 2);
    await house.control(approvals[10]!, 'unpause');
    await house.control(approvals[13]!, 'unpause');
    await house.pass(MINUTE / 2);
    await work('checks', 2, () => OK);
    await work('naps', 1, () => OK);
    await house.pass(2 * HOUR);
    await work('checks', 1, () => OK);
  }

  /** One page works at the third try, one when its server said, one never. */
  async function crawlThree(): Promise<void> {
    await house.run('crawl', 'c0');
    await work('pages', 2, () => NETWORK);
    await work('pages', 1, () => OK);
    await house.run('crawl', 'c1');
    const now = Date.parse(house.events().at(-1)?.at ?? '');
    await work('pages', 1, () => failure('rate_limited', 'http_429', { retryAfter: instantOf(now + 10 * MINUTE) }));
    await house.pass(10 * MINUTE);
    await work('pages', 1, () => OK);
    await house.run('crawl', 'c2');
    await work('pages', 1, () => NETWORK);
    await work('pages', 1, () => AUTH);
  }

  /** One payment is booked; of the other nobody knows. */
  async function payTwo(): Promise<void> {
    await house.run('payment', 'p0');
    await work('payments', 1, () => OK);
    await house.run('payment', 'p1');
    await work('payments', 1, () => failure('timeout', 'ETIMEDOUT'));
    await house.pass(1_000);
  }

  /** Samples of one metric as their labels say, without namespace. */
  const told = (metric: string): Record<string, number> =>
    Object.fromEntries(
      [...samples].flatMap(([name, value]) => {
        const [, labels] = new RegExp(`^${metric}\\{(.*)\\}$`).exec(name) ?? [];
        return labels === undefined ? [] : [[labels.replaceAll(/(^|,)ns="default"/g, '').replaceAll(/^,|"/g, ''), value]];
      }),
    );

  it('resumes 7 of 10 well where nobody cut it, and says what ended each wait (C-M-RESUMES)', () => {
    expect(told('cairn_resumes_total')).toEqual({
      'from=checkpoint,outcome=success,trigger=event': 7 + 1,
      'from=checkpoint,outcome=failed,trigger=event': 3,
      'from=checkpoint,outcome=cut,trigger=event': 2,
      'from=checkpoint,outcome=success,trigger=deadline': 1,
      'from=checkpoint,outcome=success,trigger=timer': 1,
    });
  });

  it('counts runs where they are and how they ended', () => {
    expect(told('cairn_runs')).toEqual({
      'state=escalated,workflow=approval': 3,
      'state=complete,workflow=approval': 11,
      'state=complete,workflow=nap': 1,
      'state=escalated,workflow=crawl': 1,
      'state=complete,workflow=crawl': 2,
      'state=blocked,workflow=payment': 1,
      'state=complete,workflow=payment': 1,
    });
    expect(told('cairn_runs_ended_total')).toEqual({
      'outcome=succeeded,workflow=approval': 10,
      'outcome=cancelled,workflow=approval': 1,
      'outcome=succeeded,workflow=nap': 1,
      'outcome=succeeded,workflow=crawl': 2,
      'outcome=succeeded,workflow=payment': 1,
    });
  });

  it('knows how long its runs were in each state (C-M-STATETIME)', () => {
    expect(told('cairn_state_seconds_sum')).toMatchObject({
      'state=waiting,workflow=approval': 12 * 3_600 + 1_800 + 4 * 3_600,
      'state=active,workflow=approval': 13 * 30,
      'state=blocked,workflow=approval': 3_600 + 5_400,
      'state=waiting,workflow=nap': 7_200,
    });
    expect(told('cairn_state_seconds_count')).toMatchObject({
      'state=waiting,workflow=approval': 14,
      'state=blocked,workflow=approval': 5, // Two pauses; and three were passed through for 0 s, in the append that asks people.
      'state=retrying,workflow=approval': 3,
      'state=waiting,workflow=nap': 1,
    });
    expect(told('cairn_state_seconds_bucket')).toMatchObject({
      'le=3600,state=waiting,workflow=approval': 13,
      'le=14400,state=waiting,workflow=approval': 14,
    });
    expect(told('cairn_state_seconds_bucket')).not.toHaveProperty('le=900,state=waiting,workflow=approval');
  });

  it('decides about every failure once, and knows which retries helped (C-M-RETRIES, C-M-RESOLVE, C-M-DECIDE)', () => {
    expect(told('cairn_retry_attempts_total')).toEqual({
      'bucket=auth,decision=escalate': 3 + 1,
      'bucket=network,decision=retry': 3,
      'bucket=rate_limited,decision=retry': 1,
      'bucket=effect_unknown,decision=block': 1,
    });
    expect(told('cairn_retry_resolved_total')).toEqual({ 'bucket=network': 1, 'bucket=rate_limited': 1 });
    expect(told('cairn_failure_to_decision_seconds_count')).toEqual({
      'bucket=network,decider=policy': 3,
      'bucket=rate_limited,decider=policy': 1,
      'bucket=effect_unknown,decider=policy': 1,
    });
  });

  it('counts what came of each event, once (P-1)', () => {
    const receipts = { 'outcome=started': 20, 'outcome=woke': 13, 'outcome=attached': 5, 'outcome=kept': 1, 'outcome=unmatched': 1 };
    expect(told('cairn_events_total')).toEqual(receipts);
  });

  it('tells what the history tells (U-20, E-4)', () => {
    expect(samples).toEqual(lifecycleMetricsOf(house.events()));
  });

  it('tells the same after a restart', async () => {
    const before = house.events().length;
    await house.restart();
    expect(house.events()).toHaveLength(before);
    expect(samplesOf(await house.exposition(), LIFECYCLE)).toEqual(samples);
  });
});
