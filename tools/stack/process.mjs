// One process of the stack: started by node itself, known by its pid, its lines kept.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Lines that are kept of each process, for whoever wants to know why it ended. */
const LINES_MAX = 200;
const READY_MS_MAX = 60_000;
/** After SIGTERM; a service drains within 25 s. */
const END_MS_MAX = 30_000;

export class StackProcess {
  lines = [];
  #listeners = new Set();

  /** `onLine(name, line, stream)` is told of every line. `stdin: 'pipe'` is never written to: it ends when this process does. */
  constructor(name, command, args, { env, cwd, stdin = 'ignore', onLine = () => {} } = {}) {
    this.name = name;
    this.child = spawn(command, args, { env, cwd, stdio: [stdin, 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve(signal ?? code ?? -1));
      this.child.once('error', (error) => resolve(error.code ?? 'error'));
    });
    /** It is gone, and every line of it was heard. */
    this.closed = new Promise((resolve) => this.child.once('close', resolve));
    for (const stream of ['stdout', 'stderr']) {
      createInterface({ input: this.child[stream] }).on('line', (line) => {
        this.lines.push(line);
        if (this.lines.length > LINES_MAX) this.lines.shift();
        onLine(name, line, stream);
        for (const listener of [...this.#listeners]) listener(line);
      });
    }
  }

  get pid() {
    return this.child.pid;
  }

  get isRunning() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The first line for which `found` answers something, and that answer; rejects if the process ends before. */
  async said(found, what = 'is ready') {
    for (const line of this.lines) {
      const answer = found(line);
      if (answer !== undefined) return answer;
    }
    let timer;
    let listener;
    const answered = new Promise((resolve, reject) => {
      listener = (line) => {
        const answer = found(line);
        if (answer !== undefined) resolve(answer);
      };
      this.#listeners.add(listener);
      timer = setTimeout(() => reject(new Error(`${this.name}: waited ${READY_MS_MAX / 1000} s in vain until it ${what}`)), READY_MS_MAX);
      // Not when it has exited: its last lines may be on their way, and what is looked for in them.
      void this.closed.then(async () => {
        const exit = await this.exited;
        const error = new Error(`${this.name} ended (${exit}):\n${this.lines.slice(-20).join('\n')}`);
        reject(Object.assign(error, { exit }));
      });
    });
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(listener); // Its own: others may look for something else.
    }
  }

  /** The JSON line that says that a service is ready. */
  ready() {
    return this.said((line) => {
      if (!line.startsWith('{"ready":true')) return undefined;
      return JSON.parse(line);
    });
  }

  signal(name) {
    this.child.kill(name);
  }

  /** `kill -9`; resolves when it is gone. */
  async kill() {
    if (this.isRunning) this.child.kill('SIGKILL');
    await this.exited;
  }

  /** SIGTERM; SIGKILL if it does not end in time. Resolves with its exit code. */
  async end() {
    if (this.isRunning) this.child.kill('SIGTERM');
    const cut = setTimeout(() => this.child.kill('SIGKILL'), END_MS_MAX);
    const how = await this.exited;
    clearTimeout(cut);
    return how;
  }
}
