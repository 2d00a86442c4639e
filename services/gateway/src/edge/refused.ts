import { problemOf, type Problem, type ProblemCode, type ProblemExtras } from '@cairn/contracts';
import type { Fault } from '@cairn/ports';

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

/** Seconds after which a request that met a fault may be sent again: what is away is back, or taken over, within about so long. */
const RETRY_AFTER_S = '1';

/**
 * A fault of the store, the bus or the artifacts as what the caller is told. What is damaged stays so however often it is asked for,
 * so that is named (stream and revision, or the artifact) rather than called a time-out (F-29).
 */
export function refusalOfFault(fault: Fault): Refused {
  if (fault.code === 'stream_corrupt' || fault.code === 'artifact_corrupt') return new Refused(problemOf(fault.code, fault.message));
  const problem = problemOf('service_unavailable', 'The store or the bus does not answer; the request may be sent again.');
  return new Refused(problem, { 'retry-after': RETRY_AFTER_S });
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
