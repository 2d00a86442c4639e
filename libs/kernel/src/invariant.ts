/** A bug, not a fault: the code believed something that is not so. It stops the message at hand and is never swallowed. */
export class InvariantBroken extends Error {
  readonly code = 'invariant_broken';
  override readonly name = 'InvariantBroken';
}

/** Throws `InvariantBroken` with the sentence unless the condition holds. */
export function invariant(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new InvariantBroken(sentence);
}

/** For the last branch of an exhaustive switch: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new InvariantBroken(`unreachable: ${JSON.stringify(value)}`);
}
