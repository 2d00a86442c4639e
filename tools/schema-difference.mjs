// What keeps a stored event's new JSON Schema from being a harmless extension of its old one.

/** Says nothing about values, or is looked at by `fields`. */
const SILENT = new Set(['$schema', '$defs', '$id', 'id', 'title', 'description', 'properties', 'required']);

/** Sentences, each beginning with a pointer; empty if `after` only adds optional fields. */
export function differences(before, after) {
  return compare({ root: before, node: before }, { root: after, node: after }, '', new Set());
}

function compare(before, after, pointer, seen) {
  const [a, b] = [resolved(before), resolved(after)];
  const visit = `${before.node.$ref ?? pointer} ${after.node.$ref ?? pointer}`;
  if (seen.has(visit)) return [];
  seen.add(visit);
  return [...ownWords(a, b, pointer), ...fields(before, after, a, b, pointer, seen), ...parts(before, after, a, b, pointer, seen)];
}

/** `type`, `enum`, `pattern` and the like have to be equal; what they hold inside is looked at by `parts`. */
function ownWords(a, b, pointer) {
  const words = new Set([...Object.keys(a), ...Object.keys(b)].filter((word) => !SILENT.has(word)));
  return [...words].flatMap((word) => {
    if (isSchema(a[word]) && isSchema(b[word])) return [];
    if (isList(a[word]) && isList(b[word])) return a[word].length === b[word].length ? [] : [`${pointer}/${word}: other alternatives`];
    return JSON.stringify(a[word]) === JSON.stringify(b[word])
      ? []
      : [`${pointer}: ${word} was ${JSON.stringify(a[word])}, is ${JSON.stringify(b[word])}`];
  });
}

function fields(before, after, a, b, pointer, seen) {
  const [was, is] = [a.properties ?? {}, b.properties ?? {}];
  const [needed, needs] = [new Set(a.required ?? []), new Set(b.required ?? [])];
  const found = [];
  for (const name of Object.keys(was)) {
    if (is[name] === undefined) found.push(`${pointer}/${name}: lost`);
    else if (needed.has(name) !== needs.has(name))
      found.push(`${pointer}/${name}: was ${needed.has(name) ? 'required' : 'optional'}, is not any more`);
    else found.push(...compare({ ...before, node: was[name] }, { ...after, node: is[name] }, `${pointer}/${name}`, seen));
  }
  for (const name of Object.keys(is)) if (was[name] === undefined && needs.has(name)) found.push(`${pointer}/${name}: new and required`);
  return found;
}

function parts(before, after, a, b, pointer, seen) {
  return Object.keys(a).flatMap((word) => {
    if (SILENT.has(word)) return [];
    if (isSchema(a[word]) && isSchema(b[word]))
      return compare({ ...before, node: a[word] }, { ...after, node: b[word] }, `${pointer}/${word}`, seen);
    if (!isList(a[word]) || !isList(b[word])) return [];
    return a[word].flatMap((one, i) =>
      b[word][i] === undefined ? [] : compare({ ...before, node: one }, { ...after, node: b[word][i] }, `${pointer}/${word}/${i}`, seen),
    );
  });
}

const isSchema = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value) => Array.isArray(value) && value.every(isSchema);

/**
 * What a local `$ref` points at: names of definitions shift when schemas are added, so only what they hold counts. An object that
 * keeps unknown fields and one that drops them store the same, so `additionalProperties` counts only where it says something.
 */
function resolved({ root, node }) {
  const target =
    node.$ref === undefined
      ? node
      : node.$ref
          .slice(2)
          .split('/')
          .reduce((inner, part) => inner[part], root);
  const { additionalProperties, ...rest } = target;
  return isSchema(additionalProperties) && Object.keys(additionalProperties).length > 0 ? target : rest;
}
