import { HOLD_MS_MAX, PAGE_DEFAULT, PAGE_MAX } from '@cairn/contracts';
import type { BranchPoint } from '@cairn/domain-run';
import { isBranch, isExternalId, isId, isName, isNamespace, type FieldError, type Id } from '@cairn/kernel';
import { FIRST_BRANCH } from '@cairn/ports';
import { refuse } from './refused.js';

/** Checks of what stands in a path, query or header. Whatever passes may become a token of a subject or part of a stream's name. */

export function idParam(text: string): Id {
  return isId(text) ? text : refuse('invalid_id', 'An id is 26 lower-case Crockford characters.');
}

export function nameParam(text: string): string {
  return isName(text) ? text : refuse('invalid_name', 'A name is a lower-case letter, then up to 62 of a-z, 0-9 and -.');
}

const SHA256 = /^(?:sha256:)?([0-9a-f]{64})$/;

/** A digest, with `sha256:` before it or without; answers the 64 hex characters. */
export function digestParam(text: string): string {
  return SHA256.exec(text)?.[1] ?? refuse('invalid_id', 'An artifact is named by the 64 lower-case hex characters of its SHA-256.');
}

/** A namespace that this server serves. */
export function namespaceParam(text: string, served: ReadonlySet<string>): string {
  if (!isNamespace(text)) refuse('invalid_namespace', 'A namespace is a lower-case letter, then up to 31 of a-z and 0-9.');
  return served.has(text) ? text : refuse('namespace_not_found', 'This server has no such namespace.');
}

/** The id of the event that a POST becomes: a repeat with the same key is the same event. */
export function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  return isExternalId(header) ? header : refuse('invalid_header', 'Idempotency-Key must be 1 to 512 characters without controls.');
}

/** A query string, parsed; a parameter that stands twice is a list. */
export type Query = Readonly<Record<string, unknown>>;

/** The parameters of a query, each at most once and each known; all faults at once. */
export function readQuery<K extends string>(query: Query, known: readonly K[]): { readonly [P in K]?: string } {
  const errors: FieldError[] = [];
  const read: Partial<Record<K, string>> = {};
  for (const [name, value] of Object.entries(query)) {
    const pointer = `/${name.slice(0, 80)}`;
    if (!(known as readonly string[]).includes(name))
      errors.push({ pointer, rule: 'unknown_parameter', says: `known here: ${known.join(', ') || 'none'}` });
    else if (typeof value !== 'string') errors.push({ pointer, rule: 'given_twice', says: 'may be given once' });
    else read[name as K] = value;
  }
  if (errors.length > 0) refuse('invalid_query', 'The query is not understood.', { errors });
  return read;
}

export function invalidParameter(name: string, says: string): never {
  return refuse('invalid_query', `The parameter ${name} ${says}.`, { errors: [{ pointer: `/${name}`, rule: 'invalid_parameter', says }] });
}

/** A whole number of at most nine digits within bounds. */
export function countParam(
  name: string,
  text: string | undefined,
  bounds: { readonly min: number; readonly max: number; readonly otherwise: number },
): number {
  if (text === undefined) return bounds.otherwise;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return value >= bounds.min && value <= bounds.max
    ? value
    : invalidParameter(name, `must be a whole number from ${bounds.min} to ${bounds.max}`);
}

export const limitParam = (text: string | undefined): number =>
  countParam('limit', text, { min: 1, max: PAGE_MAX, otherwise: PAGE_DEFAULT });
export const holdParam = (text: string | undefined): number => countParam('waitMs', text, { min: 0, max: HOLD_MS_MAX, otherwise: 0 });

export function branchParam(text: string | undefined): string | undefined {
  return text === undefined || isBranch(text) ? text : invalidParameter('branch', 'must be main or b2, b3, …');
}

/** Revisions of a branch at most (I-34), with room. */
const REVISION_MAX = 99_999_999;
export const revisionParam = (name: string, text: string | undefined): number | undefined =>
  text === undefined ? undefined : countParam(name, text, { min: 0, max: REVISION_MAX, otherwise: 0 });

/** Where to begin: `b2@17`, or a plain number, which is of `branch`, or else of the first. */
export function beginParam(name: string, text: string | undefined, branch?: string): BranchPoint {
  const parts = text === undefined ? null : PLACE.exec(text);
  if (parts === null) return { branch: branch ?? FIRST_BRANCH, revision: revisionParam(name, text) ?? 0 };
  const [, named = '', digits] = parts;
  if (!isBranch(named)) invalidParameter(name, 'must be a revision such as 17, or one of a branch such as b2@17');
  if (branch !== undefined && named !== branch) invalidParameter(name, 'must be of the branch that branch= names');
  return { branch: named, revision: revisionParam(name, digits) ?? 0 };
}

const PLACE = /^([^@]*)@([^@]*)$/;

/** `at=main@17`, or `branch=main&at=17`, or `at=17` on the head. */
export function placeParam(branch: string | undefined, at: string | undefined): { readonly branch?: string; readonly revision?: number } {
  const both = at === undefined ? null : PLACE.exec(at);
  if (both !== null && branch !== undefined && both[1] !== branch) invalidParameter('at', 'must name the branch that branch= names');
  const named = branchParam(both === null ? branch : both[1]);
  const revision = revisionParam('at', both === null ? at : both[2]);
  return { ...(named === undefined ? {} : { branch: named }), ...(revision === undefined ? {} : { revision }) };
}
