// Definitions that together make every event of this release, with values that are easy to encode wrongly.
const task = (id: string, queue: string, more: object = {}): object => ({ id, task: { queue }, ...more });
const event = (type: string): object => ({ event: { type, key: '${input.key}' } });
const later = { deadline: '1h', onDeadline: { fail: 'timeout' } };
const soon = { deadline: 60 };
const workflow = (name: string, steps: readonly object[], more: object = {}): object => ({
  cairn: 1,
  name,
  version: '1.0.0',
  goal: 'Käse für ${input.key} 😀',
  steps,
  ...more,
});

/** The fields that an effect names: what its fingerprint covers, in this order. */
export const fieldsOf: Readonly<Record<string, readonly string[]>> & { readonly fielded: readonly string[] } = {
  fielded: ['/nested/ключ~1x', '/list/1', '/given/missing'],
};
const effect = (id: string, queue: string, more: object): object => ({
  id,
  purpose: 'be counted',
  effect: { queue, key: `${id}: \${input.key}`, ...more },
  input: { given: '${input}', nested: { 'ключ/x': '${input.key}' }, list: [1, { '10': 1, '9': 2 }] },
});

export const workflows = [
  workflow(
    'stranger-line',
    [
      task('first', 'echo', {
        input: { '10': 'ten', '9': 'nine', ключ: '${input.values}', nested: { '2': 2, '1': 1 } },
        checkpoint: 'begun',
      }),
      task('nothing', 'null', { purpose: 'an output that is null' }),
      task('skipped', 'echo', { when: 'input.key == ""' }),
      task('lookalike', 'lookalike'),
      task('optional', 'fails', { optional: true }),
      task('big', 'big', { checkpoint: 'large' }),
      task('uses', 'echo', {
        after: ['big', 'optional'],
        input: { length: '${size(steps.big.output.text)}', none: '${steps.optional.output}' },
      }),
      task('poll', 'loop', { repeat: { until: 'output.done', max: 5 } }),
      { id: 'tell', emit: { type: 'stranger.told.v2', key: '${input.key}', data: { '10': 1, '9': 'ü', f: 0.1 } } },
      task('last', 'echo', { checkpoint: 'ended' }),
    ],
    {
      attributes: { who: '${input.key}' },
      output: { value: { first: '${steps.first.output}', poll: '${steps.poll.output}', big: '${steps.big.output}' } },
    },
  ),
  workflow('stranger-told', [task('only', 'echo', { input: '${input}' })], {
    on: [{ event: 'stranger.told', key: '${event.key + "-told"}', input: { key: '${event.key}', data: '${event.data}' } }],
  }),
  workflow('stranger-join', [
    task('a', 'echo'),
    task('b', 'echo', { after: ['a'] }),
    task('c', 'echo', { after: ['a'] }),
    task('any', 'echo', { after: ['b', 'c'], join: 'any', checkpoint: 'either' }),
    task('two', 'echo', { after: ['b', 'c', 'any'], join: 2 }),
    task('all', 'echo', { after: ['b', 'c', 'any', 'two'], checkpoint: 'both' }),
  ]),
  workflow('stranger-waits', [
    { id: 'kept', wait: { any: [event('stranger.kept')], ...later } },
    { id: 'any', wait: { any: [event('stranger.one'), { signal: 'go' }, { timer: '1h' }], guard: 'event.data.n > 0', ...later } },
    { id: 'all', wait: { all: [event('stranger.two'), { signal: 'also' }, { timer: 30 }], ...later } },
    {
      id: 'most',
      wait: { atLeast: { k: 2, of: [event('stranger.three'), event('stranger.four'), { signal: 'never' }] }, staleAfter: 5, ...later },
    },
    { id: 'nap', wait: { any: [{ timer: 40 }], ...later } },
    task('after', 'echo', { input: { big: '${steps.any.output.trigger}' }, checkpoint: 'woken' }),
  ]),
  workflow('stranger-deadlines', [
    { id: 'value', wait: { any: [{ signal: 'never' }], ...soon, onDeadline: { value: { '10': null, '9': 1.5e-7 } } } },
    { id: 'detour', wait: { any: [{ signal: 'never' }], ...soon, onDeadline: { step: 'side' } } },
    task('side', 'echo', { side: true }),
    {
      id: 'collect',
      after: ['detour'],
      wait: { any: [{ signal: 'vote' }], deadline: 400, onDeadline: { fail: 'timeout' }, keepOpen: true },
    },
    { id: 'dropped', optional: true, wait: { any: [{ signal: 'never' }], ...soon, onDeadline: { fail: 'timeout' } } },
    { id: 'fail', wait: { any: [{ signal: 'never' }], ...soon, onDeadline: { fail: 'x-late' } } },
  ]),
  workflow('stranger-gives-up', [
    { id: 'side-by-side', wait: { any: [{ signal: 'never' }], ...later } },
    { id: 'up', after: [], wait: { any: [{ signal: 'never' }], ...soon, onDeadline: { giveUp: true } } },
  ]),
  workflow('stranger-pays', [
    effect('whole', 'echo', { guarantee: 'none' }),
    effect('fielded', 'echo', { guarantee: 'idempotent', fields: fieldsOf.fielded }),
    effect('absent', 'flaky', { guarantee: 'none' }),
    effect('unknown', 'doubtful', { guarantee: 'idempotent' }),
  ]),
  workflow('stranger-doubt', [effect('lost', 'doubtful', { guarantee: 'none' })]),
  workflow('stranger-passed-over', [{ ...effect('maybe', 'doubtful', { guarantee: 'none' }), optional: true }, task('then', 'fails')]),
  workflow('stranger-controlled', [
    task('begin', 'echo'),
    { id: 'hold', wait: { any: [{ signal: 'never' }], ...later } },
    { ...effect('under-way', 'nobody', { guarantee: 'none' }), after: ['begin'] },
  ]),
  workflow('stranger-asks', [
    task('begin', 'echo'),
    {
      id: 'ask',
      review: {
        queue: 'fremde',
        question: 'Zahlen, ${input.key}? 😀',
        authorises: ['pay'],
        editable: ['/list/0'],
        evidence: [{ '10': 1, '9': 1.5e-7 }],
        verdicts: { approve: 'continue', edit: 'continue', reject: 'skip' },
        deadline: '1h',
      },
    },
    effect('pay', 'echo', { guarantee: 'idempotent' }),
    { id: 'own', review: { queue: 'fremde', question: 'Weiter?', deadline: '1h' }, input: { '10': 'ü', '9': null } },
    {
      id: 'again',
      review: { queue: 'fremde', question: 'Noch einmal?', authorises: ['last'], verdicts: { reject: 'skip' }, deadline: '1h' },
    },
    task('last', 'echo', { checkpoint: 'asked' }),
  ]),
  workflow('stranger-asks-in-vain', [
    { id: 'ask', review: { queue: 'niemand', question: 'Hallo?', deadline: '1h', escalate: [{ to: 'group:chefs', after: 20 }] } },
    { id: 'late', after: [], review: { queue: 'niemand', question: 'Hallo?', deadline: 30, onDeadline: 'step:side' } },
    task('side', 'echo', { side: true }),
    { id: 'fail', after: [], wait: { any: [{ signal: 'never' }], deadline: 1_500, onDeadline: { fail: 'x-late' } } },
  ]),
  workflow('stranger-lost', [task('work', 'lost', { checkpoint: 'done' })]),
  workflow('stranger-blocked', [task('work', 'fails')]),
  workflow('stranger-open', [
    task('begin', 'echo'),
    {
      id: 'forever',
      wait: { any: [event('stranger.never'), { timer: '2h' }], noDeadline: { because: 'it is looked at while it is open' } },
    },
  ]),
];
