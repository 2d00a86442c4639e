import { describe, expect, it } from '@jest/globals';
import { Pcg32 } from './pcg32.js';
import { Scheduler } from './scheduler.js';

describe('Scheduler', () => {
  it('runs what is due in the order of time, and time stands still but for drain', async () => {
    const scheduler = new Scheduler();
    const clock = scheduler.clockOf('a');
    const ran: string[] = [];
    clock.after(30, () => ran.push(`late ${clock.monotonicMs()}`));
    clock.after(10, () => {
      ran.push(`early ${clock.monotonicMs()}`);
      clock.after(5, () => ran.push(`nested ${clock.monotonicMs()}`));
    });
    expect(scheduler.nextAt()).toBe(10);
    expect(await scheduler.drain(20)).toBe(2);
    expect([ran, scheduler.now, scheduler.nextAt()]).toEqual([['early 10', 'nested 15'], 20, 30]);
    await scheduler.drain(100);
    expect(ran).toEqual(['early 10', 'nested 15', 'late 30']);
  });

  it('lets every promise run that can, between two ticks of one instant', async () => {
    const scheduler = new Scheduler();
    const clock = scheduler.clockOf('a');
    const ran: string[] = [];
    clock.after(1, () => {
      void (async () => {
        for (let i = 0; i < 50; i++) await Promise.resolve();
        ran.push('chain');
      })();
    });
    clock.after(1, () => ran.push('second tick'));
    await scheduler.drain(1);
    expect(ran).toEqual(['chain', 'second tick']);
  });

  it('draws the order within one instant from the seed', async () => {
    const run = async (seed: bigint): Promise<number[]> => {
      const scheduler = new Scheduler({ order: new Pcg32(seed) });
      const ran: number[] = [];
      for (let i = 0; i < 20; i++) scheduler.clockOf('a').after(1, () => ran.push(i));
      await scheduler.drain(1);
      return ran;
    };
    expect(await run(1n)).toEqual(await run(1n));
    expect(await run(1n)).not.toEqual(await run(2n));
  });

  it('a crash takes the timers of that incarnation, past and future, and leaves those of others', async () => {
    const scheduler = new Scheduler();
    const [before, other] = [scheduler.clockOf('a'), scheduler.clockOf('b')];
    const ran: string[] = [];
    before.after(10, () => ran.push('set before the crash'));
    other.after(10, () => ran.push('other'));
    await scheduler.drain(5);
    scheduler.crash('a');
    before.after(1, () => ran.push('set by the dead'));
    scheduler.clockOf('a').after(1, () => ran.push('set by the next incarnation'));
    await scheduler.drain(50);
    expect([ran, scheduler.incarnationOf('a')]).toEqual([['set by the next incarnation', 'other'], 1]);
  });

  it('a pause puts everything of that actor off until it ends', async () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    scheduler.clockOf('a').after(10, () => ran.push(`a ${scheduler.now}`));
    scheduler.clockOf('b').after(10, () => ran.push(`b ${scheduler.now}`));
    scheduler.pause('a', 40);
    await scheduler.drain(30);
    await scheduler.drain(60);
    expect(ran).toEqual(['b 10', 'a 40']);
  });

  it('an actor can have a wrong wall clock; monotonic time stays right', async () => {
    const scheduler = new Scheduler({ startsAt: 1_000_000 });
    const [wrong, right] = [scheduler.clockOf('a'), scheduler.clockOf('b')];
    scheduler.setClock('a', -3_600_000, 100_000);
    await scheduler.drain(1_000);
    expect([wrong.now(), right.now()]).toEqual([1_000_000 + 1_000 - 3_600_000 + 100, 1_001_000]);
    expect(wrong.monotonicMs()).toBe(right.monotonicMs());
  });
});
