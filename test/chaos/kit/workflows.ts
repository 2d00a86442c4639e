/** What the runs of the chaos cases go through: both kinds of handlers, retries, both kinds of effects, waits for events, signals, time. */

const deadline = { deadline: '1h', onDeadline: { fail: 'timeout' } };
/** The shortest there is: a case waits for the lease of a handler that was killed. */
const lease = '5s';
const task = (id: string, queue: string, input: object): object => ({ id, task: { queue }, input, lease, retry: 'chaos-quick' });
const effect = (id: string, queue: string, guarantee: string): object => ({
  id,
  purpose: 'act once',
  effect: { queue, key: `${id}:\${input.key}`, guarantee },
  input: { n: 1 },
  lease,
  retry: 'chaos-quick',
});

/** Quick, so that retries cost little; many, since a case may kill a handler again and again. */
export const policy = {
  cairn: 1,
  policy: 'chaos-quick',
  buckets: {
    network: { retry: true, attempts: 20, expects: 'time_passes', backoff: { kind: 'fixed', first: '100ms' } },
    upstream_5xx: { retry: true, attempts: 20, expects: 'time_passes', backoff: { kind: 'fixed', first: '100ms' } },
    handler_lost: { retry: true, attempts: 20, expects: 'another_handler', backoff: { kind: 'fixed', first: '100ms' } },
    unclassified: { retry: false, escalate: 'triage' },
  },
  onExhausted: ['block'],
};

/** Everything once. */
export const whole = {
  cairn: 1,
  name: 'chaos',
  version: '1.0.0',
  steps: [
    task('a', 'add-sdk', { n: 1 }),
    task('b', 'add-stock', { n: '${steps.a.output.sum}' }),
    { id: 'go', wait: { all: [{ event: { type: 'chaos.go', key: '${input.key}' } }, { signal: 'now' }], ...deadline } },
    { id: 'nap', wait: { any: [{ timer: 100 }], ...deadline } },
    task('flaky', 'flaky-sdk', { n: '${steps.b.output.sum}' }),
    effect('keyed', 'pay-sdk', 'idempotent'),
    effect('keyed-stock', 'pay-stock', 'idempotent'),
    effect('once', 'pay-sdk', 'none'),
    effect('once-stock', 'pay-stock', 'none'),
    { id: 'tell', emit: { type: 'chaos.told', key: '${input.key}', data: { n: '${steps.flaky.output.sum}' } } },
    task('c', 'add-stock', { n: '${steps.flaky.output.sum}' }),
  ],
  output: { value: { sum: '${steps.c.output.sum}' } },
};
/** 1 and one for each of a, b, flaky, c. */
export const WHOLE_SUM = 5;

/** Steps that hand on what is too large for an event, behind a wait for an event that is large itself. */
export const large = {
  cairn: 1,
  name: 'large',
  version: '1.0.0',
  steps: [
    task('big', 'big-sdk', { n: 1, bytes: '${input.bytes}' }),
    { id: 'go', wait: { any: [{ event: { type: 'chaos.go', key: '${input.key}' } }], ...deadline } },
    task('c', 'add-stock', { n: '${steps.big.output.n}' }),
  ],
  output: { value: { sum: '${steps.c.output.sum}' } },
};

/** Nothing but time: three timers one after another. */
export const napping = {
  cairn: 1,
  name: 'napping',
  version: '1.0.0',
  steps: ['one', 'two', 'three'].map((id) => ({ id, wait: { any: [{ timer: 700 }], ...deadline } })),
};

/** Many short steps with one kind of handler, for cases that look at the time between events. */
export const chain = (name: string, queue: string, steps: number): object => ({
  cairn: 1,
  name,
  version: '1.0.0',
  steps: Array.from({ length: steps }, (_, i) => task(`s${i}`, queue, { n: i === 0 ? 1 : `\${steps.s${i - 1}.output.sum}` })),
  output: { value: { sum: `\${steps.s${steps - 1}.output.sum}` } },
});
