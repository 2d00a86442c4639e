import { afterEach, describe, expect, it } from '@jest/globals';
import { Health } from './health.js';

describe('readiness', () => {
  let health = new Health();
  afterEach(() => {
    health.close();
    health = new Health();
  });

  it('holds while every part says so', async () => {
    health.add('store', () => undefined);
    expect(await health.readiness()).toEqual({ ready: true, parts: { store: 'ready' } });
    health.add('lists', () => 'catching up');
    expect(await health.readiness()).toEqual({ ready: false, parts: { store: 'ready', lists: 'catching up' } });
  });

  it('takes a probe that fails, or never answers, for a part that is not ready', async () => {
    health.add('store', () => Promise.reject(new Error('secret: s3cr3t')));
    health.add('bus', () => new Promise(() => undefined));
    const report = await health.readiness();
    expect(report).toEqual({ ready: false, parts: { store: 'failed', bus: 'no answer' } });
  });

  it('asks the parts once for many who ask at once', async () => {
    let asked = 0;
    health.add('store', () => void (asked += 1));
    await Promise.all(Array.from({ length: 20 }, () => health.readiness()));
    expect(asked).toBe(1);
  });

  it('is over for good when draining has begun', async () => {
    health.add('store', () => undefined);
    expect((await health.readiness()).ready).toBe(true);
    health.drain();
    expect(await health.readiness()).toEqual({ ready: false, parts: { process: 'draining' } });
  });
});
