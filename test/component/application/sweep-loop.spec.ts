import { describe, expect, it } from '@jest/globals';
import { SWEEP_INTERVAL_MS, SweepLoop } from '@cairn/application';
import { createRecordingMetrics, Scheduler, WORLD } from '@cairn/simulated';
import { StoreFault } from '@cairn/ports';

/** A loop whose walks last so long, or throw. */
function loopOf(walk: (nth: number, sleep: (ms: number) => Promise<void>) => Promise<void>) {
  const scheduler = new Scheduler();
  const clock = scheduler.clockOf(WORLD);
  const metrics = createRecordingMetrics();
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  const seen = { walks: 0, atOnce: 0, mostAtOnce: 0 };
  const sweep = async (): Promise<void> => {
    seen.walks += 1;
    seen.mostAtOnce = Math.max(seen.mostAtOnce, ++seen.atOnce);
    try {
      await walk(seen.walks, sleep);
    } finally {
      seen.atOnce -= 1;
    }
  };
  const loop = new SweepLoop({ clock, metrics, name: 'spec', sweep });
  loop.start();
  return { loop, seen, metrics, pass: (ms: number) => scheduler.drain(scheduler.now + ms) };
}

describe('a sweep loop', () => {
  it('walks once an interval', async () => {
    const { seen, pass } = loopOf(async () => undefined);
    await pass(SWEEP_INTERVAL_MS - 1);
    expect(seen.walks).toBe(0);
    await pass(1 + 2 * SWEEP_INTERVAL_MS);
    expect(seen.walks).toBe(3);
  });

  it('never walks twice at once, however slow a walk is and however often it is asked', async () => {
    const { loop, seen, pass } = loopOf((_, sleep) => sleep(2 * SWEEP_INTERVAL_MS));
    loop.sweepNow();
    loop.sweepNow();
    loop.sweepNow();
    await pass(10 * SWEEP_INTERVAL_MS);
    expect(seen.mostAtOnce).toBe(1);
    expect(seen.walks).toBeGreaterThanOrEqual(4);
  });

  it('goes on after a fault and after a bug, and counts them apart', async () => {
    const { seen, metrics, pass } = loopOf(async (nth) => {
      if (nth === 1) throw new StoreFault('store_unavailable', 'away');
      if (nth === 2) throw new TypeError('a bug');
    });
    await pass(3 * SWEEP_INTERVAL_MS);
    expect(seen.walks).toBe(3);
    expect(metrics.value('cairn_sweep_errors_total', { service: 'spec', kind: 'fault' })).toBe(1);
    expect(metrics.value('cairn_sweep_errors_total', { service: 'spec', kind: 'bug' })).toBe(1);
  });

  it('stops when the walk under way has ended', async () => {
    const { loop, seen, pass } = loopOf((_, sleep) => sleep(100));
    loop.sweepNow();
    let stopped = false;
    const stopping = loop.stop().then(() => (stopped = true));
    await pass(50);
    expect(stopped).toBe(false);
    await pass(50);
    await stopping;
    await pass(10 * SWEEP_INTERVAL_MS);
    expect(seen.walks).toBe(1);
  });
});
