/** A subject: tokens of visible characters without wildcards, between dots. */
const SUBJECT = /^[^\s.*>]+(\.[^\s.*>]+)*$/;

export const isSubject = (text: string): boolean => SUBJECT.test(text);

/** Whether it is a subject in which `*` may stand for a token and a final `>` for the rest. */
export function isFilter(text: string): boolean {
  const tokens = text.split('.');
  return isSubject(tokens.map((token, n) => (token === '*' || (token === '>' && n === tokens.length - 1) ? 'any' : token)).join('.'));
}

/** A filter in parts: `*` stands for one token, a final `>` for one or more. */
export type Filter = readonly string[];

export const parseFilter = (text: string): Filter => text.split('.');

export function matches(filter: Filter, tokens: readonly string[]): boolean {
  for (let i = 0; i < filter.length; i++) {
    const part = filter[i];
    if (part === '>') return tokens.length > i;
    if (i >= tokens.length || (part !== '*' && part !== tokens[i])) return false;
  }
  return tokens.length === filter.length;
}

/** Whether some subject matches both. */
export function overlap(a: Filter, b: Filter): boolean {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]];
    if (one === undefined || other === undefined) return false;
    if (one === '>' || other === '>') return true;
    if (one !== '*' && other !== '*' && one !== other) return false;
  }
  return true;
}
