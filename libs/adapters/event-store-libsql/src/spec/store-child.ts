import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { waitUntil } from '@cairn/testkit';
import type { Orders, Report } from './store-process.js';

const root = resolve(import.meta.dirname, '../../../../..');
const parts = ['libs/kernel', 'libs/ports', 'libs/adapters/event-store-libsql'];

/** A plain node process runs what was built, so specs that start one build it first (well under a second, nothing if it is fresh). */
export function buildForChildren(): void {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools/build.mjs'), ...parts], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed: ${stderr}`);
}

export const freshFile = (): string => join(mkdtempSync(join(tmpdir(), 'cairn-store-')), 'events.db');

/** A process with an event store in it, and what it has said so far. */
export class StoreChild {
  readonly reports: Report[] = [];
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;

  /** `wrapper`: a command that runs the process, with its arguments. */
  constructor(orders: Orders, wrapper: readonly string[] = []) {
    const script = join(root, 'libs/adapters/event-store-libsql/dist/spec/store-process.js');
    const [command = '', ...args] = [...wrapper, process.execPath, script];
    this.child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (report) => this.reports.push(report as Report));
    this.exited = new Promise((settle) => this.child.once('close', () => settle())); // At `exit` its last reports may be on their way.
    this.child.send(orders);
  }

  get appended(): readonly Extract<Report, { kind: 'appended' }>[] {
    return this.reports.filter((report) => report.kind === 'appended');
  }

  get faults(): readonly unknown[] {
    return this.reports.flatMap((report) => (report.kind === 'fault' ? [report.code] : []));
  }

  /** Waits for so many acknowledged appends. */
  async hasAppended(count: number): Promise<void> {
    await waitUntil(`the process has appended ${count} times`, () => this.appended.length >= count);
  }

  async ended(): Promise<void> {
    await this.exited;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
