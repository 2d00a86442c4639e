import type { PolicySummary } from '@cairn/contracts';
import type { PolicyApplied } from '@cairn/domain-retry';
import type { StoredEvent } from '@cairn/kernel';

/** The newest version of each retry policy, by the name under which it was applied. */
export class PolicyRows {
  private rows = new Map<string, PolicySummary & { readonly ns: string }>();

  apply({ data, revision, at }: StoredEvent): void {
    const { ns, name, version, hash } = data as unknown as PolicyApplied['data'];
    this.rows.set(`${ns}+${name}`, { ns, name, version, hash, revision, appliedAt: at });
  }

  of(ns: string): PolicySummary[] {
    return [...this.rows.values()]
      .filter((row) => row.ns === ns)
      .map(({ name, version, hash, revision, appliedAt }) => ({ name, version, hash, revision, appliedAt }));
  }

  *entries(): Iterable<readonly [kind: string, key: string, value: unknown]> {
    for (const [key, row] of this.rows) yield ['policy', key, row];
  }

  adopt({ rows }: PolicyRows): void {
    this.rows = rows;
  }
}
