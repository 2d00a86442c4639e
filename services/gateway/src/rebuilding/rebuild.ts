import type { Folds } from '@cairn/application';
import type { RebuildLine } from '@cairn/contracts';
import type { Clock, Ids, Line } from '@cairn/ports';
import { AskEverybody } from './ask-everybody.js';

export interface RebuildParts {
  /** Without it every service is in this process. */
  readonly line?: Line | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly folds: Folds;
}

/** Has every fold of every service made anew (C-TRUTH): each line of NDJSON as soon as it is known. */
export async function* rebuild(parts: RebuildParts): AsyncGenerator<string> {
  for await (const line of parts.line === undefined
    ? here(parts)
    : new AskEverybody({ ...parts, line: parts.line, asked: parts.ids.next() }).ask())
    yield `${JSON.stringify(line)}\n`;
}

async function* here({ folds, ids }: RebuildParts): AsyncGenerator<RebuildLine> {
  const process = ids.next();
  let equal = true;
  for (const fold of folds.all()) {
    const view = { service: fold.service, process, ...(await fold.rebuild()) };
    equal &&= view.equal;
    yield { kind: 'fold', ...view };
  }
  yield { kind: 'end', equal, unreached: [] };
}
