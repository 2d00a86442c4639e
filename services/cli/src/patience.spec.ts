// Goal: a command never waits for ever for a store that is away. Method: promises that settle, and one that never does.
import { describe, expect, it } from '@jest/globals';
import { withPatience } from './patience.js';

describe('patience of a command', () => {
  it('gives what comes in time, a failure too', async () => {
    await expect(withPatience('reading', Promise.resolve(3), 10_000)).resolves.toBe(3);
    await expect(withPatience('reading', Promise.reject(new Error('broken')), 10_000)).rejects.toThrow('broken');
  });

  it('ends what never comes, by name', async () => {
    const never = new Promise<never>(() => undefined);
    await expect(withPatience('the queues', never, 10)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'the queues: no answer within 0.01 s',
    });
  });
});
