// Goal: every queue that a definition names gets its consumer, whatever kind of step names it. Method: one definition with all of them.
import { describe, expect, it } from '@jest/globals';
import { queuesOf } from './stored-queues.js';

describe('the queues of a definition', () => {
  it('are those of tasks, decisions, effects, of who finds out about them and undoes them, of alternatives and of reduced paths, each once', () => {
    const definition = {
      steps: [
        { id: 'a', task: { queue: 'work' }, fallback: [{ queue: 'spare' }] },
        { id: 'b', decide: { queue: 'model', choices: ['x', 'y'] } },
        { id: 'c', effect: { queue: 'pay', key: 'k', reconcile: 'look', compensate: 'undo' } },
        { id: 'd', wait: { any: [{ timer: 1 }] } },
      ],
      reduced: [
        {
          id: 'less',
          drops: ['a'],
          steps: [
            { id: 'e', task: { queue: 'work' } },
            { id: 'f', decide: { queue: 'judge' } },
          ],
        },
      ],
    };
    expect([...queuesOf(definition)].sort()).toEqual(['judge', 'look', 'model', 'pay', 'spare', 'undo', 'work']);
  });
});
