const REFERENCES = ['outputRef', 'dataRef', 'definitionRef'] as const;

/** Hex digests of the artifacts that an event's data names in a place of its own: a value that only looks like a reference is none. */
export function artifactsNamed(data: unknown): string[] {
  if (typeof data !== 'object' || data === null) return [];
  const fields = data as { readonly [field: string]: unknown };
  const named = REFERENCES.flatMap((field) => (fields[field] as { artifact?: unknown } | undefined)?.artifact ?? []);
  const claimed = (fields['claim'] as { artifacts?: unknown } | undefined)?.artifacts;
  const all = [...named, ...(Array.isArray(claimed) ? (claimed as unknown[]) : [])];
  return [...all.flatMap((name) => (typeof name === 'string' ? [name.replace(/^sha256:/, '')] : [])), ...artifactsNamed(fields['reply'])];
}
