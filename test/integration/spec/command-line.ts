import { cairn as run } from '@cairn/cli';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  json<T = unknown>(): T;
}

/** One command line, in this process, with no environment but what is given. */
export async function cairn(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const code = await run(args, {
    env,
    tty: false,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: () => '',
  });
  return { code, out, err, json: <T>() => JSON.parse(out) as T };
}
