import type { Break } from './break.js';
import { recoveredHistory } from './good-branches.js';
import { draft } from './pieces.js';

/** Ways to break a run that went on on another branch. */
export const breaksOfBranches: readonly Break[] = [
  {
    invariant: 'I-6',
    by: 'a branch that opens with another reason than was announced',
    good: () => recoveredHistory({ opened: (data) => (data['reason'] = 'other') }),
  },
  {
    invariant: 'I-6',
    by: 'a branch that calls somebody else its actor',
    good: () => recoveredHistory({ opened: (data) => (data['actor'] = 'user:eve') }),
  },
  {
    invariant: 'I-6',
    by: 'a branch without a reason',
    good: () => recoveredHistory({ spec: (spec) => (spec['reason'] = '') }),
  },
  {
    invariant: 'I-8',
    by: 'an old head that goes on',
    good: () => recoveredHistory({ more: [draft('StepSkipped', { step: 'other', because: 'when' })] }),
  },
  {
    invariant: 'I-11',
    by: 'an attempt that is carried and was over at the fork',
    good: () =>
      recoveredHistory({
        spec: (spec) => {
          const carried = spec['carried'] as { attempts: string[] };
          spec['carried'] = { ...carried, attempts: [...carried.attempts, '0'.repeat(26)] };
        },
      }),
  },
  {
    invariant: 'I-31',
    by: 'a branch that was announced and never opened',
    good: () => recoveredHistory(),
    change: (h) => ({ ...h, branches: new Map([...h.branches].filter(([name]) => name === 'main')) }),
  },
];
