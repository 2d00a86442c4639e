import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { drainOnSignals, type DrainableProcess } from './drain.js';
import { createLog } from './logger.js';

const log = createLog({ service: 'spec', level: 'silent' });

/** A process whose exit can be awaited. */
class Process extends EventEmitter implements DrainableProcess {
  exit(code: number): void {
    this.emit('exit', code);
  }
}

describe('drainOnSignals', () => {
  it('drains once, whatever further signals come, and exits 0', async () => {
    const process = new Process();
    let drains = 0;
    let finish = (): void => undefined;
    drainOnSignals(process, log, () => {
      drains += 1;
      return new Promise((resolve) => (finish = resolve));
    });
    const exit = once(process, 'exit');
    process.emit('SIGTERM');
    process.emit('SIGINT');
    process.emit('SIGTERM');
    finish();
    expect(await exit).toEqual([0]);
    expect(drains).toBe(1);
  });

  it('exits 0 after its time, finished or not', async () => {
    const process = new Process();
    drainOnSignals(process, log, () => new Promise(() => undefined), 1);
    const exit = once(process, 'exit');
    process.emit('SIGINT');
    expect(await exit).toEqual([0]);
  });

  it('exits 1 when the drain fails', async () => {
    const process = new Process();
    drainOnSignals(process, log, () => Promise.reject(new Error('no')));
    const exit = once(process, 'exit');
    process.emit('SIGTERM');
    expect(await exit).toEqual([1]);
  });
});
