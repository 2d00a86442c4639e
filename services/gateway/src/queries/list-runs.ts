import { runStateNames, TAIL_MIN, type Page, type RunView } from '@cairn/contracts';
import type { Clock } from '@cairn/ports';
import { invalidParameter, limitParam, nameParam, readQuery, type Query } from '../edge/params.js';
import { refuse } from '../edge/refused.js';
import type { ReadModels } from '../readmodels/read-models.js';

const TAIL = new RegExp(`^[0-9a-z]{${TAIL_MIN},26}$`);
const CURSOR = /^p([0-9a-z]{1,9})$/;
const CURSOR_RADIX = 36;

/** `GET runs`: newest first. A cursor is a position in the order of starts, so pages neither repeat nor skip while runs are added. */
export function listRuns(models: ReadModels, clock: Clock, ns: string, query: Query): Page<RunView> {
  const { state, workflow, tail, limit: limitText, cursor } = readQuery(query, ['state', 'workflow', 'tail', 'limit', 'cursor']);
  if (state !== undefined && !(runStateNames as readonly string[]).includes(state))
    invalidParameter('state', `must be one of ${runStateNames.join(', ')}`);
  if (workflow !== undefined) nameParam(workflow);
  if (tail !== undefined && !TAIL.test(tail)) invalidParameter('tail', `must be the last ${TAIL_MIN} to 26 characters of an id`);
  const limit = limitParam(limitText);
  const now = clock.now();
  const items: RunView[] = [];
  let next: number | undefined;
  models.newestFirst(positionOf(cursor), (row, position) => {
    if (row.ns !== ns || (state !== undefined && row.state !== state) || (workflow !== undefined && row.workflow !== workflow)) return true;
    if (tail !== undefined && !row.run.endsWith(tail)) return true;
    if (items.length === limit) {
      next = position + 1;
      return false;
    }
    items.push(row.view(now));
    return true;
  });
  return { items, ...(next === undefined ? {} : { cursor: `p${next.toString(CURSOR_RADIX)}` }) };
}

function positionOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const digits = CURSOR.exec(cursor)?.[1];
  return digits === undefined ? refuse('invalid_cursor', 'A cursor is what an earlier page gave.') : Number.parseInt(digits, CURSOR_RADIX);
}
