import { readFileSync } from 'node:fs';

/** What a command sees of the process around it. Specs hand in another. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Whether standard output is a terminal. */
  readonly tty: boolean;
  out(text: string): void;
  err(text: string): void;
  /** The whole of standard input. */
  stdin(): string;
}

export const processSurroundings: Surroundings = {
  env: process.env,
  tty: process.stdout.isTTY === true,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stdin: () => readFileSync(0, 'utf8'),
};
