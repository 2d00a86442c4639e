import type { Plan } from '../plan.js';
import type { Use } from '../plan-compiler.js';
import type { Problems } from '../problems.js';
import { lintEffects } from './effects.js';
import { lintGraph } from './graph.js';
import { lintKinds } from './kinds.js';
import { lintReduced } from './reduced.js';
import { lintReferences } from './references.js';
import { lintReviews } from './reviews.js';
import { lintWaits } from './waits.js';
import { Waivers } from './waivers.js';

/** Every rule over a whole definition (`capabilities.md` §3.4). Works on what is there, also when parts were refused before. */
export function lint(plan: Plan, uses: readonly Use[], problems: Problems): void {
  const waivers = new Waivers(plan, problems);
  lintKinds(plan, problems);
  lintGraph(plan, problems);
  lintReduced(plan, problems);
  lintReferences(plan, uses, problems, waivers);
  lintWaits(plan, problems, waivers);
  lintReviews(plan, problems);
  lintEffects(plan, problems, waivers);
  waivers.reportUnused();
}
