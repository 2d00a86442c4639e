import { problemOf, type Problem, type ProblemCode, type ProblemExtras } from '@cairn/contracts';

/** A request that ends here; its problem is the answer. Thrown inside the gateway alone and caught where the answer is written. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly problem: Problem,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(problem.code);
  }
}

/** Ends the request with a row of `problemStatus`. `detail` never repeats what was sent. */
export function refuse(
  code: ProblemCode,
  detail: string,
  extras: ProblemExtras = {},
  headers: Readonly<Record<string, string>> = {},
): never {
  throw new Refused(problemOf(code, detail, extras), headers);
}
