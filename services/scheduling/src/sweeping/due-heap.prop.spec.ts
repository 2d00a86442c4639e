// Goal: whatever is added and taken, what comes out is always the earliest, and among equals the first added.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DueHeap } from './due-heap.js';

type Step = { readonly add: number } | 'take';
const steps = fc.array(fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 20 }) }), fc.constant('take' as const)), { maxLength: 200 });

describe('a heap of due times', () => {
  it('gives what a sorted list gives', () => {
    fc.assert(
      fc.property(steps, (given: readonly Step[]) => {
        const heap = new DueHeap<{ readonly at: number; readonly nth: number }>();
        let list: { readonly at: number; readonly nth: number }[] = [];
        for (const [nth, step] of given.entries()) {
          if (step === 'take') {
            const [first, ...rest] = list;
            expect(heap.take()).toEqual(first);
            list = rest;
          } else {
            heap.add({ at: step.add, nth });
            list = [...list, { at: step.add, nth }].sort((a, b) => a.at - b.at || a.nth - b.nth);
          }
          expect(heap.peek()).toEqual(list[0]);
        }
      }),
    );
  });
});
