import { canon, invariant, prefixedSha256, sha256Hex, type FieldError, type Json } from '@cairn/kernel';
import { BoundedCache } from './bounded-cache.js';
import { buildPlan } from './build-plan.js';
import { canonicalForm } from './canonical-form.js';
import type { Definition } from './document.js';
import { checkJson } from './json-hygiene.js';
import { validatorOf, type Validator } from './json-schema.js';
import { DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX } from './limits.js';
import { lint } from './lint/lint.js';
import type { Plan } from './plan.js';
import { PlanCompiler } from './plan-compiler.js';
import { Problems } from './problems.js';
import { checkShape } from './shape.js';
import { isTextLargerThan } from './size.js';
import { workflowSchema } from './workflow-schema.js';

/**
 * A definition with its canonical bytes and identity, or everything that is wrong with the document, each with pointer, rule and sentence.
 * `warnings` hold what the class of the workflow lets pass, and every rule that a waiver silenced.
 */
export type Compiled =
  | {
      readonly ok: true;
      readonly definition: Definition;
      readonly canonical: string;
      readonly hash: string;
      readonly warnings: readonly FieldError[];
    }
  | { readonly ok: false; readonly errors: readonly FieldError[]; readonly warnings?: readonly FieldError[] };

/** Made when it is first needed: it costs some hundred milliseconds. */
let workflowValidator: Validator | undefined;
const plans = new BoundedCache<Plan>();
/** Spares hashing the definition again for who asks again with the same object. */
const plansByIdentity = new WeakMap<Definition, Plan>();

/** Compiles a document in any spelling: YAML, JSON and builder arrive here as the same plain object. */
export function compileDefinition(document: unknown): Compiled {
  const problems = new Problems();
  const limits = { depthMax: DOCUMENT_DEPTH_MAX, nodesMax: DOCUMENT_BYTES_MAX / 2 }; // A value and its comma: two bytes.
  if (!checkJson(document, limits, problems)) return refused(problems);
  workflowValidator ??= validatorOf(workflowSchema);
  const shaped = checkShape(document as Json, workflowValidator, problems);
  if (shaped === undefined) return refused(problems);

  const definition = canonicalForm(shaped, problems);
  const canonical = canon(definition);
  if (isTextLargerThan(canonical, DOCUMENT_BYTES_MAX))
    problems.error('', 'too_large', `a document has at most ${DOCUMENT_BYTES_MAX} bytes`);
  const hash = hashOf(canonical);
  const compiler = new PlanCompiler(problems);
  const plan = buildPlan(definition, hash, compiler);
  lint(plan, compiler.uses, problems);
  // What would be let pass is told beside it: who mends the one thing need not come back for the other.
  if (problems.errors.length > 0) return { ...refused(problems), ...(problems.warnings.length > 0 ? { warnings: problems.warnings } : {}) };

  plansByIdentity.set(
    definition,
    plans.getOrMake(hash, () => plan),
  );
  return { ok: true, definition, canonical, hash, warnings: problems.warnings };
}

/** `sha256:<hex>` of the canonical bytes: the identity that runs pin. */
export function hashDefinition(definition: Definition): string {
  return hashOf(canon(definition));
}

/**
 * The plan of a definition that `compileDefinition` gave, also after it was stored and read back. Cached by hash.
 * Throws `InvariantBroken` for a definition that does not compile: such a one is never stored.
 */
export function planOf(definition: Definition): Plan {
  const known = plansByIdentity.get(definition);
  if (known !== undefined) return known;
  const hash = hashDefinition(definition);
  const plan = plans.getOrMake(hash, () => {
    const problems = new Problems();
    const made = buildPlan(definition, hash, new PlanCompiler(problems));
    const [first] = problems.errors;
    invariant(first === undefined, `definition ${hash} does not compile: ${first?.pointer} ${first?.says}`);
    return made;
  });
  plansByIdentity.set(definition, plan);
  return plan;
}

const hashOf = (canonical: string): string => prefixedSha256(sha256Hex(canonical));

function refused(problems: Problems): Compiled {
  return { ok: false, errors: problems.errors };
}
