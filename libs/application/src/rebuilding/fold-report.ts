import { sha256Hex } from '@cairn/kernel';

/**
 * What making one fold anew has shown. `FoldView` of contracts says the same on the wire and is its own: what stands here may move, what old
 * and new processes tell each other may not. nest-kit makes one of the other, and the compiler sees what is missing.
 */
export interface FoldReport {
  /** Unique within its service. */
  readonly fold: string;
  /** Events folded from the first one on. */
  readonly events: number;
  readonly seconds: number;
  /** sha256 of the canonical lines of the live fold, and of the new one, at the same position of the store. */
  readonly before: string;
  readonly after: string;
  readonly equal: boolean;
  /** Some of what differs: `-` what the live fold had, `+` what the history says. */
  readonly differences: readonly string[];
  /** Why nothing could be compared, where that is so. The live fold goes on as it was. */
  readonly problem?: string;
}

/** Lines of a difference that are told, and characters of each: a fold may be large, and whoever reads wants to know where to look. */
const DIFFERENCES_MAX = 20;
const DIFFERENCE_CHARACTERS_MAX = 300;

export function compareFolds(
  live: readonly string[],
  anew: readonly string[],
): Pick<FoldReport, 'before' | 'after' | 'equal' | 'differences'> {
  const before = digestOf(live);
  const after = digestOf(anew);
  return { before, after, equal: before === after, differences: before === after ? [] : differencesOf(live, anew) };
}

/** Lines that are hashed together: a fold may be larger than a text can be. */
const LINES_HASHED = 10_000;

/** A chain over pieces of the lines, each a sha256 of the one before and its lines. */
function digestOf(lines: readonly string[]): string {
  let digest = sha256Hex('');
  for (let from = 0; from < lines.length; from += LINES_HASHED)
    digest = sha256Hex([digest, ...lines.slice(from, from + LINES_HASHED)].join('\n'));
  return digest;
}

function differencesOf(live: readonly string[], anew: readonly string[]): readonly string[] {
  const [had, says] = [new Set(live), new Set(anew)];
  const gone = live.filter((line) => !says.has(line)).map((line) => `- ${line}`);
  const come = anew.filter((line) => !had.has(line)).map((line) => `+ ${line}`);
  // Half of each where there is enough of both.
  const half = DIFFERENCES_MAX / 2;
  const shown = [
    ...gone.slice(0, Math.max(half, DIFFERENCES_MAX - come.length)),
    ...come.slice(0, Math.max(half, DIFFERENCES_MAX - gone.length)),
  ];
  const told = shown.length === 0 ? ['~ the same lines in another order'] : shown;
  return told.map((line) => (line.length > DIFFERENCE_CHARACTERS_MAX ? `${line.slice(0, DIFFERENCE_CHARACTERS_MAX)}…` : line));
}
