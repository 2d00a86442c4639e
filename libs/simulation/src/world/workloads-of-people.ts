import { add, completes, document, ends, type Step, type Workload } from './workload.js';

const review = (id: string, of: object, more: object = {}): Step => ({
  id,
  review: { queue: 'desk', question: 'Go on?', deadline: '1h', ...of },
  ...more,
});
const pay = (more: object = {}): Step => ({
  id: 'pay',
  effect: { queue: 'work', key: '${run.key}/pay', guarantee: 'idempotent' },
  purpose: 'somebody is paid',
  risk: 'high',
  input: { do: 'book', n: '${input.n}', extra: 0 },
  lease: '5s',
  retry: 'patient',
  ...more,
});
const fails = (id: string, bucket: string): Step => ({
  id,
  task: { queue: 'work' },
  input: { do: 'fail', n: '${input.n}', bucket },
  params: { mended: false },
  fallback: [{ queue: 'work', params: { mended: true } }],
  lease: '5s',
});

/** Runs that people decide about: before an effect, about a failure, over a limit, twice as a proposal is sent back, or not in time. */
export const workloadsOfPeople: readonly Workload[] = [
  {
    name: 'approved',
    document: document(
      'approved',
      [add('a', '${input.n}'), review('ask', { authorises: ['pay'], editable: ['/extra'] }), pay()],
      '${steps.pay.output.n}',
    ),
    policies: ['patient'],
    people: { ask: ['approve', 'edit'] },
    meddled: true,
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'agreed',
    document: document(
      'agreed',
      [review('ask', { authorises: ['pay'], quorum: { of: 2 } }), pay(), add('b', '${steps.pay.output.n}')],
      '${steps.b.output.n}',
    ),
    policies: ['patient'],
    people: { ask: ['approve'] },
    meddled: true,
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'rejected',
    document: document('rejected', [review('ask', { authorises: ['pay'] }), pay()]),
    policies: ['patient'],
    people: { ask: ['reject'] },
    expect: ends('failed'),
  },
  {
    name: 'sent-back',
    document: document(
      'sent-back',
      [add('a', '${input.n}'), review('ask', { authorises: ['b'], verdicts: ['approve', 'revise'] }), add('b', '${steps.a.output.n}')],
      '${steps.b.output.n}',
    ),
    people: { ask: ['approve', 'approve', 'revise'] },
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'asked-after-failing',
    document: document('asked-after-failing', [fails('a', 'billing'), add('b', '${steps.a.output.n}')], '${steps.b.output.n}'),
    people: { a: ['fallback:0'] },
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'over-budget',
    document: {
      ...document('over-budget', [add('poll', '${input.n}', { repeat: { until: 'turn >= 5', max: 9 } })], '${steps.poll.output.n}'),
      limits: { occurrences: 2 },
    },
    people: Object.fromEntries(['poll#1', 'poll#2', 'poll#3', 'poll#4', 'poll#5'].map((turn) => [turn, ['go_on']])),
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'not-in-time',
    document: document(
      'not-in-time',
      [
        review('ask', { authorises: ['pay'], deadline: '5s', onDeadline: 'step:instead' }),
        pay(),
        add('instead', '${input.n}', { side: true, after: undefined }),
      ],
      '${steps.instead.output.n}',
    ),
    policies: ['patient'],
    people: {},
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'passed-up',
    document: document(
      'passed-up',
      [review('ask', { authorises: ['b'], deadline: '20s', escalate: [{ to: 'group:cfo', after: '400ms' }] }), add('b', '${input.n}')],
      '${steps.b.output.n}',
    ),
    people: { ask: ['approve'] },
    expect: completes((output, n) => output === n + 1),
  },
];
