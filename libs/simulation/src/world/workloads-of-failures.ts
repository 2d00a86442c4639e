import { add, completes, document, ends, wait, type RunOutcome, type Step, type Workload } from './workload.js';

const task = (id: string, asked: object, more: object = {}): Step => ({ id, task: { queue: 'work' }, input: asked, lease: '5s', ...more });
const asks = (id: string, n: string, more: object = {}): Step => task(id, { do: 'ask', n }, more);
const fails = (id: string, how: object, more: object = {}): Step => task(id, { do: 'fail', n: '${input.n}', ...how }, more);

/** Given to a person. */
export const isGivenToSomebody = ({ state, sub }: RunOutcome): string | undefined =>
  (state === 'blocked' && sub === 'awaiting_decision') || (state === 'escalated' && (sub === 'recovery' || sub === 'after_retries'))
    ? undefined
    : `${state}/${String(sub)}`;

/** Tasks that fail in every way that is judged differently, under policies that bear much, little, or only what is new. */
export const workloadsOfFailures: readonly Workload[] = [
  {
    name: 'asks',
    document: document(
      'asks',
      [asks('a', '${input.n}', { retry: 'patient' }), asks('b', '${steps.a.output.n}', { retry: 'patient' })],
      '${steps.b.output.n}',
    ),
    policies: ['patient'],
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'asks-by-default',
    document: document('asks-by-default', [asks('a', '${input.n}'), add('b', '${steps.a.output.n}')], '${steps.b.output.n}'),
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'limited',
    document: document(
      'limited',
      [fails('a', { bucket: 'rate_limited', times: 2, retryAfterMs: 1_700 }, { retry: 'patient' }), add('b', '${steps.a.output.n}')],
      '${steps.b.output.n}',
    ),
    policies: ['patient'],
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'flickers',
    document: document('flickers', [fails('a', { bucket: 'network', times: 1 })], '${steps.a.output.n}'),
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'times-out',
    document: document(
      'times-out',
      [task('a', { do: 'hang', n: '${input.n}', times: 1 }, { timeout: '3s', retry: 'patient' })],
      '${steps.a.output.n}',
    ),
    policies: ['patient'],
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'gives-up',
    document: document('gives-up', [
      fails('a', { bucket: 'network' }, { retry: 'curt', after: [] }),
      wait('papers', { any: [{ event: { type: 'sim.never', key: '${run.key}' } }] }, { after: [] }),
    ]),
    policies: ['curt'],
    expect: ends('gave_up'),
  },
  {
    name: 'bounded-step',
    document: document('bounded-step', [fails('a', { bucket: 'network' }, { retry: 'bounded' })]),
    policies: ['bounded'],
    expect: isGivenToSomebody,
  },
  {
    name: 'bounded-time',
    document: document('bounded-time', [fails('a', { bucket: 'conflict' }, { retry: 'bounded' })]),
    policies: ['bounded'],
    expect: isGivenToSomebody,
  },
  {
    name: 'bounded-run',
    document: document(
      'bounded-run',
      ['a', 'b', 'c'].map((id) => fails(id, { bucket: 'network', times: 3 }, { retry: 'bounded', after: [] })),
    ),
    policies: ['bounded'],
    expect: isGivenToSomebody,
  },
  {
    name: 'nothing-new',
    document: document('nothing-new', [fails('a', { bucket: 'tool_error', code: 'E1' }, { retry: 'curious' })]),
    policies: ['curious'],
    expect: isGivenToSomebody,
  },
  {
    name: 'billed',
    document: document('billed', [fails('a', { bucket: 'billing' }, { after: [] }), asks('b', '${input.n}', { after: [] })]),
    expect: isGivenToSomebody,
  },
  {
    name: 'may-fail',
    document: document('may-fail', [fails('a', { bucket: 'billing' }, { optional: true }), add('b', '${input.n}')], '${steps.b.output.n}'),
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'may-be-given-up',
    document: document(
      'may-be-given-up',
      [fails('a', { bucket: 'network' }, { optional: true, retry: 'curt' }), add('b', '${input.n}')],
      '${steps.b.output.n}',
    ),
    policies: ['curt'],
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'fails',
    document: document('fails', [fails('a', { bucket: 'invalid_request' })]),
    expect: isGivenToSomebody,
  },
];
