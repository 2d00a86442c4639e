import type { parse } from '@bufbuild/cel';
import { CEL_DEPTH_MAX, CEL_NODES_MAX } from './limits.js';

/** A node of a parsed expression, as the library gives it. Only its type is used here. */
export type CelNode = ReturnType<typeof parse>['expr'];

/** One thing that an expression reads: `steps['screen'].output.risk` is root `steps`, path `screen output risk`. */
export interface Access {
  readonly root: string;
  readonly path: readonly string[];
  /** Inside `has(…)`: it is asked for, not relied upon. */
  readonly tested: boolean;
  /** An operand of `==` or `!=`. */
  readonly compared: boolean;
}

export interface Survey {
  readonly accesses: readonly Access[];
  readonly problems: readonly string[];
  /** Comprehensions whose range must be bounded when it is known. */
  readonly comprehensions: readonly Comprehension[];
}

export type Comprehension = Extract<CelNode['exprKind'], { case: 'comprehensionExpr' }>['value'];

/** Names of CEL's own types, which `type(x) == string` compares with. */
const TYPE_NAMES: ReadonlySet<string> = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type']);

/** Walks a parsed expression once: its size and shape against our limits, its roots against those known here, and what it reads. */
export function survey(node: CelNode, roots: readonly string[], hasFunction: (name: string) => boolean): Survey {
  const accesses: Access[] = [];
  const problems = new Set<string>();
  const comprehensions: Comprehension[] = [];
  let nodes = 0;

  const visit = (current: CelNode | undefined, depth: number, locals: ReadonlySet<string>, looping: boolean, compared = false): void => {
    if (current === undefined || nodes > CEL_NODES_MAX) return;
    nodes += 1;
    if (nodes > CEL_NODES_MAX) {
      problems.add(`more than ${CEL_NODES_MAX} nodes`);
      return;
    }
    if (depth > CEL_DEPTH_MAX) {
      problems.add(`nested deeper than ${CEL_DEPTH_MAX}`);
      return;
    }
    const chain = accessOf(current);
    if (chain !== undefined && !locals.has(chain.root)) {
      nodes += chain.path.length;
      noteAccess({ ...chain, compared });
      return;
    }
    const below = (child: CelNode | undefined): void => visit(child, depth + 1, locals, looping);
    const kind = current.exprKind;
    switch (kind.case) {
      case 'identExpr':
      case 'constExpr':
        return; // A local variable, or a literal.
      case 'selectExpr':
        return below(kind.value.operand);
      case 'listExpr':
        return kind.value.elements.forEach(below);
      case 'callExpr':
        if (!isOperator(kind.value.function) && !hasFunction(kind.value.function))
          problems.add(`there is no function ${kind.value.function}()`);
        if (kind.value.function === '_-_' && isWholeStep(kind.value.args[0])) problems.add('a step is not a number');
        below(kind.value.target);
        for (const argument of kind.value.args) visit(argument, depth + 1, locals, looping, isComparison(kind.value.function));
        return;
      case 'structExpr':
        if (kind.value.messageName !== '') problems.add(`there is no type ${kind.value.messageName}`);
        for (const entry of kind.value.entries) {
          if (entry.keyKind.case === 'mapKey') below(entry.keyKind.value);
          below(entry.value);
        }
        return;
      case 'comprehensionExpr': {
        if (looping) problems.add('a comprehension inside another');
        const { iterRange, accuInit, loopCondition, loopStep, result, iterVar, iterVar2, accuVar } = kind.value;
        comprehensions.push(kind.value);
        below(iterRange);
        below(accuInit);
        const inside = new Set([...locals, iterVar, iterVar2, accuVar]);
        for (const part of [loopCondition, loopStep]) visit(part, depth + 1, inside, true);
        return visit(result, depth + 1, inside, looping);
      }
      default:
        problems.add('an unknown kind of expression');
    }
  };

  const noteAccess = (access: Access): void => {
    const { root, path } = access;
    if (!roots.includes(root)) {
      if (path.length === 0 && TYPE_NAMES.has(root)) return;
      problems.add(`${root} is not known here; known: ${roots.join(', ')}`);
    } else if (root === 'steps' && path.length === 0) {
      problems.add("steps are named one by one: steps.screen or steps['screen']");
    }
    accesses.push(access);
  };

  visit(node, 1, new Set(), false);
  return { accesses, problems: [...problems], comprehensions };
}

/** `a.b['c']`, read from its root, or `undefined` if the node is not such a chain. */
export function accessOf(node: CelNode): Omit<Access, 'compared'> | undefined {
  const path: string[] = [];
  let tested = false;
  let current: CelNode | undefined = node;
  while (current !== undefined) {
    const kind: CelNode['exprKind'] = current.exprKind;
    if (kind.case === 'identExpr') {
      const root = kind.value.name.replace(/^\./, '');
      return { root, path: path.reverse(), tested };
    }
    if (kind.case === 'selectExpr') {
      path.push(kind.value.field);
      tested ||= kind.value.testOnly;
      current = kind.value.operand;
    } else if (kind.case === 'callExpr' && kind.value.function === '_[_]') {
      const field = stringOf(kind.value.args[1]);
      if (field === undefined) return undefined;
      path.push(field);
      current = kind.value.args[0];
    } else {
      return undefined;
    }
  }
  return undefined;
}

function stringOf(node: CelNode | undefined): string | undefined {
  if (node?.exprKind.case !== 'constExpr') return undefined;
  const constant = node.exprKind.value.constantKind;
  return constant.case === 'stringValue' ? constant.value : undefined;
}

/** Operators and the parser's own helpers; everything else must be a function of the standard library. */
function isOperator(name: string): boolean {
  return name.startsWith('_') || name.startsWith('!') || name.startsWith('-') || name.startsWith('@');
}

const isComparison = (name: string): boolean => name === '_==_' || name === '_!=_';

function isWholeStep(node: CelNode | undefined): boolean {
  const access = node === undefined ? undefined : accessOf(node);
  return access?.root === 'steps' && access.path.length === 1;
}
