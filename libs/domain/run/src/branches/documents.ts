import type { JsonPatchOp, Plan, PolicyName } from '@cairn/domain-definition';
import type { Json, StoredEvent } from '@cairn/kernel';
import type { PinnedDocument } from '../shared-fields.js';
import { policyName } from './rules.js';

/** Documents that a request names, as whoever decides about it has found them. The branch pins them: what it runs by is in the history. */
export interface BranchDocuments {
  readonly definition?: { readonly pin: PinnedDocument; readonly plan: Plan };
  /** What the parent runs by, where the head has gone on with another definition. */
  readonly ofParent?: Plan;
  /** Versions of the workflow that were ever applied, where another one is asked for. */
  readonly versions: readonly string[];
  /** Policies that the run has not pinned yet. */
  readonly policies: readonly PinnedDocument[];
  /** Policies that are asked for and do not exist, as they are written. */
  readonly missing: readonly string[];
}

export const NO_DOCUMENTS: BranchDocuments = { versions: [], policies: [], missing: [] };

interface Asked {
  readonly changes?: readonly JsonPatchOp[];
}

/** Of the workflow's definitions the one with this version, this hash, or both. */
export interface DefinitionWanted {
  readonly name?: string;
  readonly version?: string;
  readonly hash?: string;
}

const HASH = /^sha256:[0-9a-f]{64}$/;

/** What `/definition` is changed to: `1.1.0`, `name@1.1.0`, `sha256:…`, or `{name?, version?, hash?}`. `undefined`: it is none of these. */
export function definitionOf(value: Json): DefinitionWanted | undefined {
  if (typeof value === 'string') {
    if (HASH.test(value)) return { hash: value };
    const [version = '', name] = value.split('@').reverse();
    return version === '' ? undefined : { ...(name === undefined ? {} : { name }), version };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { name, version, hash, ...more } = value as { readonly [field: string]: Json };
  const texts = [name, version, hash].every((one) => one === undefined || typeof one === 'string');
  if (!texts || Object.keys(more).length > 0 || (version === undefined && hash === undefined)) return undefined;
  return value as DefinitionWanted;
}

/** The definition that a request goes on with; `undefined`: the one that the run has. */
export function definitionWanted({ changes = [] }: Asked): DefinitionWanted | undefined {
  const op = changes.findLast(({ path }) => path === '/definition');
  return op !== undefined && 'value' in op ? definitionOf(op.value) : undefined;
}

/** The definition that is wanted, of all that were applied under the workflow's name. */
export function definitionFound(applied: readonly StoredEvent[], wanted: DefinitionWanted): PinnedDocument | undefined {
  const found = applied.findLast(
    ({ type, data }) =>
      type === 'DefinitionApplied' &&
      (wanted.name === undefined || data['name'] === wanted.name) &&
      (wanted.version === undefined || data['version'] === wanted.version) &&
      (wanted.hash === undefined || data['hash'] === wanted.hash),
  );
  if (found === undefined) return undefined;
  const { name, version, hash } = found.data as unknown as Pick<PinnedDocument, 'name' | 'version' | 'hash'>;
  return { name, version, hash, revision: found.revision };
}

export const versionsOf = (applied: readonly StoredEvent[]): string[] =>
  applied.flatMap(({ type, data }) => (type === 'DefinitionApplied' ? [String(data['version'])] : []));

/** Policies that a branch needs and its parent has not pinned: those of another definition, and those that steps are given. */
export function policiesWanted({ changes = [] }: Asked, plan: Plan | undefined, pinned: readonly PinnedDocument[]): PolicyName[] {
  const given = changes.flatMap((op) => (/^\/steps\/[^/]+\/retry$/.test(op.path) && 'value' in op ? (policyName(op.value) ?? []) : []));
  const all = [...(plan?.retryPolicies ?? []), ...given].filter((policy) => !pinned.some((pin) => isPinOf(pin, policy)));
  return [...new Map(all.map((policy) => [policyText(policy), policy])).values()];
}

/** The version that a policy's name means: the one that it says, else the newest. */
export function policyFound(applied: readonly StoredEvent[], { version }: PolicyName): PinnedDocument | undefined {
  const found = version === undefined ? applied.at(-1) : applied.find(({ data }) => data['version'] === version);
  if (found?.type !== 'PolicyApplied') return undefined;
  const { name, version: is, hash } = found.data as unknown as Pick<PinnedDocument, 'name' | 'version' | 'hash'>;
  return { name, version: is, hash, revision: found.revision };
}

export const policyText = ({ name, version }: PolicyName): string => (version === undefined ? name : `${name}@${version}`);

/** A run pins a policy once: without a version a name means the first that it has pinned. */
export const isPinOf = (pin: Pick<PinnedDocument, 'name' | 'version'>, { name, version }: PolicyName): boolean =>
  pin.name === name && (version === undefined || pin.version === version);
