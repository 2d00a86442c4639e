import type { Json } from '@cairn/kernel';
import { add, completes, document, ends, event, paper, wait, type Workload } from './workload.js';
import { workloadsOfBranches } from './workloads-of-branches.js';
import { workloadsOfEffects } from './workloads-of-effects.js';
import { workloadsOfFailures } from './workloads-of-failures.js';
import { workloadsOfPeople } from './workloads-of-people.js';

/** The values of `data.v` that a list of triggers brought, in order of size. */
const valuesOf = (output: Json): string =>
  JSON.stringify((output as readonly { readonly data: { readonly v: number } }[]).map(({ data }) => data.v).sort((a, b) => a - b));

const listener: Workload = {
  name: 'listener',
  document: {
    ...document('listener', [add('heard', '${input.n}')], '${steps.heard.output.n}'),
    on: [{ event: 'sim.told', key: '${event.key}', input: '${event.data}' }],
  },
  expect: completes((output, n) => output === n + 2),
};

const waits: readonly Workload[] = [
  {
    name: 'line',
    document: document('line', [add('a', '${input.n}'), add('b', '${steps.a.output.n}')], '${steps.b.output.n}'),
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'by-event',
    document: {
      ...document('by-event', [add('a', '${input.n}')], '${steps.a.output.n}'),
      on: [{ event: 'sim.order', key: '${event.key}', input: '${event.data}' }],
    },
    startedBy: 'sim.order',
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'parallel-all',
    document: document(
      'parallel-all',
      [
        add('left', '${input.n}', { after: [] }),
        add('right', '${input.n}', { after: [] }),
        add('both', '${steps.left.output.n + steps.right.output.n}', { after: ['left', 'right'] }),
      ],
      '${steps.both.output.n}',
    ),
    expect: completes((output, n) => output === 2 * n + 3),
  },
  {
    name: 'parallel-any',
    document: document(
      'parallel-any',
      [
        add('left', '${input.n}', { after: [] }),
        add('right', '${input.n}', { after: [] }),
        add('first', '${input.n}', { after: ['left', 'right'], join: 'any' }),
      ],
      '${steps.first.output.n}',
    ),
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'wait-any',
    document: document(
      'wait-any',
      [add('a', '${input.n}'), wait('papers', { any: [paper(), paper('sim.never')] }), add('b', '${steps.papers.output.data.v}')],
      '${steps.b.output.n}',
    ),
    events: [event('sim.paper', { v: 10 })],
    fires: { step: 'papers', output: { trigger: 0, data: { v: 10 }, at: '2026-01-01T00:00:00.000Z' } },
    expect: completes((output) => output === 11),
  },
  {
    name: 'wait-first',
    document: document(
      'wait-first',
      [wait('papers', { any: [paper()] }), add('b', '${steps.papers.output.data.v}')],
      '${steps.b.output.n}',
    ),
    events: [event('sim.paper', { v: 10 })],
    fires: { step: 'papers', output: { trigger: 0, data: { v: 10 }, at: '2026-01-01T00:00:00.000Z' } },
    expect: completes((output) => output === 11),
  },
  {
    name: 'wait-all',
    document: document('wait-all', [wait('papers', { all: [paper('sim.one'), paper('sim.two')] })], '${steps.papers.output}'),
    events: [event('sim.one', { v: 1 }), event('sim.two', { v: 2 })],
    expect: completes((output) => valuesOf(output) === '[1,2]'),
  },
  {
    name: 'wait-alike',
    document: document('wait-alike', [add('a', '${input.n}'), wait('papers', { all: [paper(), paper()] })], '${steps.papers.output}'),
    events: [event('sim.paper', { v: 1 }), event('sim.paper', { v: 2 })],
    expect: completes((output) => valuesOf(output) === '[1,2]'),
  },
  {
    name: 'wait-at-least',
    document: document(
      'wait-at-least',
      [wait('papers', { atLeast: { k: 2, of: [paper('sim.one'), paper('sim.two'), paper('sim.three')] } }), add('b', '${input.n}')],
      '${steps.papers.output}',
    ),
    events: [event('sim.one', { v: 1 }), event('sim.two', { v: 2 }), event('sim.three', { v: 3 })],
    expect: completes((output) => ['[1,2]', '[1,3]', '[2,3]'].includes(valuesOf(output))),
  },
  {
    name: 'wait-where',
    document: document(
      'wait-where',
      [wait('papers', { any: [{ event: { type: 'sim.paper', key: '${run.key}', where: 'event.data.v > 5' } }] })],
      '${steps.papers.output.data.v}',
    ),
    events: [event('sim.paper', { v: 1 }), event('sim.paper', { v: 7 })],
    expect: completes((output) => output === 7),
  },
  {
    name: 'wait-signal',
    document: document(
      'wait-signal',
      [
        add('a', '${input.n}'),
        { id: 'go', wait: { any: [{ signal: 'go' }], noDeadline: { because: 'a person says when' } } },
        add('b', '${steps.go.output.data.v}'),
      ],
      '${steps.b.output.n}',
    ),
    events: [{ kind: 'signal', name: 'go', data: { v: 4 } }],
    fires: { step: 'go', output: { trigger: 0, data: { v: 4 }, at: '2026-01-01T00:00:00.000Z' } },
    expect: completes((output) => output === 5),
  },
  {
    name: 'wait-guarded',
    document: document(
      'wait-guarded',
      [add('a', '${input.n}'), wait('papers', { any: [paper()], guard: 'event.data.v > steps.a.output.n' })],
      '${steps.papers.output.data.v}',
    ),
    events: [event('sim.paper', { v: 0 }), event('sim.paper', { v: 1_000 })],
    expect: completes((output) => output === 1_000),
  },
  {
    name: 'timer',
    document: document('timer', [wait('nap', { any: [{ timer: '7s' }] }), add('b', '${input.n}')], '${steps.b.output.n}'),
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'timer-beside',
    document: document(
      'timer-beside',
      [
        wait('nap', { all: [{ timer: '3s' }, { timer: '9s' }] }, { after: [] }),
        add('a', '${input.n}', { after: [] }),
        add('b', '${steps.a.output.n}', { after: ['nap', 'a'] }),
      ],
      '${steps.b.output.n}',
    ),
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'deadline-value',
    document: document(
      'deadline-value',
      [add('a', '${input.n}'), wait('papers', { any: [paper('sim.never')], deadline: '6s', onDeadline: { value: 'nothing came' } })],
      '${steps.papers.output}',
    ),
    expect: completes((output) => output === 'nothing came'),
  },
  {
    name: 'deadline-step',
    document: document(
      'deadline-step',
      [
        wait('papers', { any: [paper('sim.never')], deadline: '6s', onDeadline: { step: 'chase' } }),
        add('chase', '${input.n}', { side: true }),
        add('b', '${steps.chase.output.n}', { after: ['papers'] }),
      ],
      '${steps.b.output.n}',
    ),
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'deadline-fail',
    document: document('deadline-fail', [
      wait('papers', { any: [paper('sim.never')], deadline: '6s', onDeadline: { fail: 'timeout' } }, { after: [] }),
      add('a', '${input.n}', { after: [] }),
      wait('other', { any: [paper('sim.neither')] }, { after: [] }),
    ]),
    expect: ends('failed'),
  },
  {
    name: 'deadline-give-up',
    document: document('deadline-give-up', [wait('papers', { any: [paper('sim.never')], deadline: '6s', onDeadline: { giveUp: true } })]),
    expect: ends('gave_up'),
  },
  {
    name: 'deadline-optional',
    document: document(
      'deadline-optional',
      [
        wait('papers', { any: [paper('sim.never')], deadline: '6s', onDeadline: { fail: 'timeout' } }, { optional: true }),
        add('b', '${input.n}'),
      ],
      '${steps.b.output.n}',
    ),
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'keep-open',
    document: document(
      'keep-open',
      [wait('papers', { any: [paper()], keepOpen: true, deadline: '40s', onDeadline: { value: [] } })],
      '${steps.papers.output}',
    ),
    events: [event('sim.paper', { v: 1 }), event('sim.paper', { v: 2 })],
    expect: completes((output) => Array.isArray(output)),
  },
  {
    name: 'stale',
    document: document('stale', [wait('papers', { any: [{ timer: '15s' }], staleAfter: '4s' })], '${steps.papers.output.trigger}'),
    expect: completes((output) => output === 0),
  },
  {
    name: 'when',
    document: document(
      'when',
      [
        add('a', '${input.n}'),
        add('never', '${input.n}', { when: 'steps.a.output.n < 0' }),
        add('b', '${steps.a.output.n}', { when: 'steps.never.output == null' }),
      ],
      '${steps.b.output.n}',
    ),
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'repeat',
    document: document('repeat', [add('poll', '${input.n}', { repeat: { until: 'turn >= 3', max: 5 } })], '${steps.poll.output.n}'),
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'emit',
    document: document(
      'emit',
      [
        add('a', '${input.n}'),
        { id: 'tell', emit: { type: 'sim.told', key: '${run.key}', data: { n: '${steps.a.output.n}' } } },
        add('b', '${input.n}'),
      ],
      '${steps.b.output.n}',
    ),
    starts: listener,
    expect: completes((output, n) => output === n + 1),
  },
];

/** Whoever goes back in one of them comes to the same end. */
const workloadsOfWaits = waits.map((workload): Workload => ({ ...workload, meddled: true }));

/** Small definitions that between them hold everything that a definition can say so far, by what they are about. */
export const workloadKinds: readonly (readonly Workload[])[] = [
  workloadsOfWaits,
  workloadsOfWaits,
  workloadsOfFailures,
  workloadsOfEffects,
  workloadsOfEffects,
  workloadsOfBranches,
  workloadsOfPeople,
];
