import { add, completes, document, paper, wait, type RunOutcome, type Step, type Workload } from './workload.js';

const fails = (id: string, bucket: string, more: object = {}): Step => ({
  id,
  task: { queue: 'work' },
  input: { do: 'fail', n: '${input.n}', bucket },
  params: { mended: false },
  retry: 'resourceful',
  lease: '5s',
  ...more,
});
const other = { queue: 'work', params: { mended: true } };
const alike = { queue: 'work', params: { mended: false, again: true } };

const reduced =
  (wanted: number) =>
  ({ state, sub, output }: RunOutcome, n: number): string | undefined =>
    state === 'complete' && sub === 'reduced' && output === n + wanted
      ? undefined
      : `${state}/${String(sub)} with ${JSON.stringify(output)}`;

/** Runs that go on on other branches, with work beside them that must not notice. */
export const workloadsOfBranches: readonly Workload[] = [
  {
    name: 'falls-back',
    document: document(
      'falls-back',
      [
        fails('a', 'network', { fallback: [other], after: [] }),
        add('beside', '${input.n}', { after: [] }),
        wait('papers', { any: [paper()] }, { after: [] }),
        add('b', '${steps.a.output.n + steps.beside.output.n}', { after: ['a', 'beside', 'papers'] }),
      ],
      '${steps.b.output.n}',
    ),
    events: [{ kind: 'event', name: 'sim.paper', data: { v: 1 } }],
    policies: ['resourceful'],
    expect: completes((output, n) => output === 2 * n + 3),
  },
  {
    name: 'falls-back-twice',
    document: document(
      'falls-back-twice',
      [
        fails('a', 'network', { fallback: [alike, other], after: [] }),
        fails('c', 'network', { fallback: [other], after: [] }),
        wait('papers', { any: [{ timer: '2s' }] }, { after: [] }),
      ],
      '${steps.a.output.n + steps.c.output.n}',
    ),
    policies: ['resourceful'],
    expect: completes((output, n) => output === 2 * n + 2),
  },
  {
    name: 'changes',
    document: document('changes', [fails('a', 'context_length'), add('b', '${steps.a.output.n}')], '${steps.b.output.n}'),
    policies: ['resourceful'],
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'reduces',
    document: {
      ...document('reduces', [fails('a', 'network', { after: [] }), add('b', '${input.n}', { after: ['a'] })], '${steps.b.output.n}'),
      reduced: [{ id: 'less', drops: ['a'], steps: [add('c', '${input.n}')], summary: 'without a' }],
    },
    policies: ['resourceful'],
    expect: reduced(1),
  },
];
