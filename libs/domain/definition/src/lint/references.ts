import type { Access } from '../cel-tree.js';
import type { Plan, PlannedStep } from '../plan.js';
import type { Use } from '../plan-compiler.js';
import { sidesNamedBy } from '../proposers.js';
import type { Problems } from '../problems.js';
import type { Waivers } from './waivers.js';

const STEP_FIELDS = ['status', 'output', 'attempts'];

/** Rules about what expressions read of other steps: that it exists, and that it is there when it is read. */
export function lintReferences(plan: Plan, uses: readonly Use[], problems: Problems, waivers: Waivers): void {
  const settledBefore = new Settled(plan);
  const guards = new Map<string, readonly Access[]>(); // A step's `when` guards its other expressions.
  for (const use of uses) {
    if (use.step !== undefined && use.pointer.endsWith('/when')) guards.set(use.step, use.accesses);
  }
  for (const use of uses) {
    const reader = use.step === undefined ? undefined : plan.step(use.step);
    const guarding = [...use.accesses, ...(use.step === undefined ? [] : (guards.get(use.step) ?? []))];
    lintCallbacks(plan, use, problems);
    const reported = new Set<string>();
    for (const access of use.accesses.filter(({ root }) => root === 'steps')) {
      const [id = '', field] = access.path;
      const read = plan.step(id);
      if (read === undefined) {
        problems.error(use.pointer, 'unknown-ref', `there is no step ${id}`);
      } else if (field !== undefined && !STEP_FIELDS.includes(field)) {
        problems.error(use.pointer, 'unknown-ref', `a step has ${STEP_FIELDS.join(', ')}, not ${field}`);
      } else if (!reported.has(id)) {
        const doubt = doubtOf(read, reader, access, settledBefore, plan);
        if (doubt === undefined || guarding.some((asked) => asksFor(asked, id))) continue;
        reported.add(id);
        waivers.find('nullable-ref', use.step, use.pointer, `${doubt}; ask first, for instance steps['${id}'].status == 'succeeded'`);
      }
    }
  }
}

/** A link is named by its wait and its name, and both are there. */
function lintCallbacks(plan: Plan, use: Use, problems: Problems): void {
  for (const { path } of use.accesses.filter(({ root }) => root === 'callbacks')) {
    const [wait, name, ...deeper] = path;
    if (wait === undefined || name === undefined || deeper.length > 0) {
      problems.error(use.pointer, 'unknown-ref', 'a link is named by its wait and its name: callbacks.<wait>.<name>');
    } else if (!Object.hasOwn(plan.callbacks, wait)) {
      problems.error(use.pointer, 'unknown-ref', `there is no wait ${wait} with a callback`);
    } else if (!Object.hasOwn(plan.callbacks[wait] ?? {}, name)) {
      problems.error(
        use.pointer,
        'unknown-ref',
        `${wait} has no callback ${name}: it has ${Object.keys(plan.callbacks[wait] ?? {}).join(', ')}`,
      );
    }
  }
}

/** Why a value may be missing when it is read; `undefined` if it cannot be. A step that is not settled reads `pending`, with output null. */
function doubtOf(read: PlannedStep, reader: PlannedStep | undefined, access: Access, settled: Settled, plan: Plan): string | undefined {
  const [, field, ...deeper] = access.path;
  if (access.tested || field === 'status') return undefined;
  if (reader?.id === read.id) return `${read.id} is not settled while it runs`;
  if (read.side) return `${read.id} is a side step, which may never have run`;
  if (read.reduced !== undefined && read.reduced !== reader?.reduced)
    return `${read.id} is a step of the reduced path ${read.reduced}, which may never be taken`;
  if (reader !== undefined && !settled.before(reader, read.id))
    return `${read.id} may not be settled when ${reader.id} starts: name it in after`;
  if (field !== 'output' || deeper.length === 0) return undefined;
  if (read.when !== undefined || read.optional) return `${read.id} may be skipped, and its output then reads null`;
  const path = plan.reduced.find(({ drops }) => drops.includes(read.id) && (reader === undefined || !drops.includes(reader.id)));
  return path === undefined ? undefined : `${read.id} may be dropped by the reduced path ${path.id}, and its output then reads null`;
}

/** Whether the same expression, or the `when` before it, asks about the step: for its status, or whether its output is null. */
function asksFor({ root, path, compared }: Access, id: string): boolean {
  return root === 'steps' && path[0] === id && (path[1] === 'status' || (path[1] === 'output' && path.length === 2 && compared));
}

/** Which steps are settled for certain when another starts: through joins that wait for all. */
export class Settled {
  readonly #known = new Map<string, ReadonlySet<string>>();

  constructor(plan: Plan) {
    // In rounds, since `after` may name steps further down; a cycle ends the rounds, and is reported elsewhere.
    let open = [...plan.steps];
    for (let moved = true; moved && open.length > 0;) {
      const rest = open.filter((step) => !this.#settle(step, plan));
      moved = rest.length < open.length;
      open = rest;
    }
  }

  before(reader: PlannedStep, id: string): boolean {
    return this.#known.get(reader.id)?.has(id) ?? true;
  }

  #settle(step: PlannedStep, plan: Plan): boolean {
    const after = step.after.filter((id) => plan.step(id) !== undefined);
    if (step.side) return this.#known.set(step.id, this.#beforeSide(step, plan)) !== undefined;
    if (!after.every((id) => this.#known.has(id))) return false;
    const sets = after.map((id) => new Set([id, ...(this.#known.get(id) ?? [])]));
    const whole = step.join.k >= step.after.length;
    const [first = new Set<string>(), ...others] = sets;
    const settled = whole
      ? new Set(sets.flatMap((set) => [...set]))
      : new Set([...first].filter((id) => others.every((set) => set.has(id))));
    this.#known.set(step.id, settled);
    return true;
  }

  /** A side step runs when its wait has expired: what was settled before that wait is settled for it too, and the wait itself. */
  #beforeSide(side: PlannedStep, plan: Plan): ReadonlySet<string> {
    const naming = plan.steps.find((step) => sidesNamedBy(step).some(({ side: id }) => id === side.id));
    const ids = new Set<string>();
    // A wait that has become stale has not ended.
    const isOpen = naming?.wait?.staleReview === side.id;
    const open = naming === undefined ? [] : isOpen ? [...naming.after] : [naming.id];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (ids.has(id)) continue;
      ids.add(id);
      open.push(...(plan.step(id)?.after ?? []));
    }
    return ids;
  }
}
