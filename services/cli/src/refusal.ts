import type { Problem } from '@cairn/contracts';
import { EXIT } from './exit-codes.js';

/** Where problem types of the CLI's own begin; the server's have the same base (RFC 9457). */
const TYPE_BASE = 'https://cairn.dev/problems/';

/** A command that cannot be done, with what to print and the code to end with. The only error that commands throw on purpose. */
export class Refusal extends Error {
  constructor(
    readonly problem: Problem,
    readonly exitCode: number,
    /** The command to try next, for people. */
    readonly next?: string,
  ) {
    super(problem.detail);
  }
}

/** The command line itself is wrong: ends with 2. */
export function usage(detail: string, extras: Partial<Problem> = {}): Refusal {
  return new Refusal(problem('usage', 400, detail, extras), EXIT.usage);
}

/** Nobody answers at that address: ends with 5. */
export function unreachable(url: string, why: string): Refusal {
  return new Refusal(problem('unreachable', 503, `No server answers at ${url} (${why}).`), EXIT.unreachable, 'npx cairn dev');
}

/** The thing does not exist: ends with 3. */
export function notFound(code: string, detail: string): Refusal {
  return new Refusal(problem(code, 404, detail), EXIT.notFound);
}

/** What the server's refusals end with. 400 says that the request cannot be right anywhere: an argument of the command line is wrong. */
const exitOf: { readonly [status: number]: number } = {
  400: EXIT.usage,
  404: EXIT.notFound,
  409: EXIT.conflict,
  503: EXIT.unreachable,
};

/** What to do about a refusal that one command settles. */
const nextOf: { readonly [code: string]: string | undefined } = {
  policy_not_found: 'npx cairn policy apply <file>',
};

/** The server's answer to something it does not do: ends with 2 (400), 3 (404), 4 (409), 5 (503), else with 1. */
export function refused(problemDocument: Problem): Refusal {
  const { status } = problemDocument;
  return new Refusal(
    problemDocument,
    exitOf[status] ?? EXIT.failed,
    nextOf[problemDocument.code] ?? (status === 401 ? 'set CAIRN_TOKEN, or --data to the folder of the server' : undefined),
  );
}

export function problem(code: string, status: number, detail: string, extras: Partial<Problem> = {}): Problem {
  const words = code.replaceAll('_', ' ');
  return {
    type: TYPE_BASE + code.replaceAll('_', '-'),
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status,
    code,
    detail,
    ...extras,
  };
}
