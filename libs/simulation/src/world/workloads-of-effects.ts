import { add, completes, document, wait, type Step, type Workload } from './workload.js';
import { isGivenToSomebody } from './workloads-of-failures.js';

const books = (id: string, guarantee: 'none' | 'reconcile' | 'idempotent', more: object = {}, key = `\${run.key}/${id}`): Step => ({
  id,
  effect: { queue: 'work', key, guarantee, stub: { n: 0 }, ...(guarantee === 'reconcile' ? { reconcile: 'look' } : {}) },
  purpose: 'somebody is paid',
  input: { do: 'book', n: '${input.n}' },
  lease: '5s',
  retry: 'patient',
  ...more,
});

/** Effects of every guarantee, alone, beside each other, and under a key that is taken. */
export const workloadsOfEffects: readonly Workload[] = [
  {
    name: 'pays',
    document: document('pays', [books('pay', 'idempotent'), add('b', '${steps.pay.output.n}')], '${steps.b.output.n}'),
    policies: ['patient'],
    meddled: true,
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'pays-and-undoes',
    document: document(
      'pays-and-undoes',
      [
        books('pay', 'idempotent', { effect: { queue: 'work', key: '${run.key}/pay', guarantee: 'idempotent', compensate: 'undo' } }),
        add('b', '${steps.pay.output.n}'),
      ],
      '${steps.b.output.n}',
    ),
    policies: ['patient'],
    undoes: '${run.key}/pay',
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'pays-by-default',
    document: document('pays-by-default', [books('pay', 'idempotent', { retry: 'default' })], '${steps.pay.output.n}'),
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'pays-once',
    document: document('pays-once', [add('a', '${input.n}'), books('pay', 'none')], '${steps.pay.output.n}'),
    policies: ['patient'],
    meddled: true,
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'pays-and-looks',
    document: document('pays-and-looks', [books('pay', 'reconcile'), add('b', '${steps.pay.output.n}')], '${steps.b.output.n}'),
    policies: ['patient'],
    meddled: true,
    expect: completes((output, n) => output === n + 2),
  },
  {
    name: 'pays-two-and-looks',
    document: document(
      'pays-two-and-looks',
      [
        books('left', 'reconcile', { after: [] }),
        books('right', 'reconcile', { after: [] }),
        books('last', 'reconcile', { after: ['left', 'right'] }),
      ],
      '${steps.left.output.n + steps.right.output.n + steps.last.output.n}',
    ),
    policies: ['patient'],
    expect: completes((output, n) => output === 3 * n + 3),
  },
  {
    name: 'pays-both',
    document: document(
      'pays-both',
      [
        books('left', 'idempotent', { after: [] }),
        books('right', 'none', { after: [] }),
        wait('papers', { any: [{ timer: '2s' }] }, { after: [] }),
        books('last', 'none', { after: ['left', 'right', 'papers'] }),
      ],
      '${steps.left.output.n + steps.right.output.n + steps.last.output.n}',
    ),
    policies: ['patient'],
    meddled: true,
    expect: completes((output, n) => output === 3 * n + 3),
  },
  {
    name: 'may-pay',
    document: document('may-pay', [books('pay', 'none', { optional: true, retry: 'curt' }), add('b', '${input.n}')], '${steps.b.output.n}'),
    policies: ['curt'],
    expect: completes((output, n) => output === n + 1),
  },
  {
    name: 'pays-twice',
    document: document('pays-twice', [books('pay', 'idempotent', {}, '${run.key}'), books('again', 'idempotent', {}, '${run.key}')]),
    policies: ['patient'],
    expect: isGivenToSomebody,
  },
];
