/** A property of anything, or `undefined`. Never throws: what handlers throw may be a Proxy, or have getters that throw (B-28). */
export function look(thing: unknown, key: string): unknown {
  try {
    if ((typeof thing !== 'object' && typeof thing !== 'function') || thing === null) return undefined;
    return (thing as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** The same as text that says something; numbers are written out. */
export function lookText(thing: unknown, key: string): string | undefined {
  const value = look(thing, key);
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' ? String(value) : undefined;
}
