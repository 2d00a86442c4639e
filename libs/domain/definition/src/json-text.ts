import type { Problems } from './problems.js';

/**
 * The value of a JSON text. Refused beside bad JSON: names that occur twice in one object, which parsers resolve in different ways (T-37).
 * Numbers, keys and depth are judged on the value, by `checkJson`.
 */
export function readJson(text: string, problems: Problems): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    problems.error('', 'invalid_json', 'not JSON'); // The parser's message would echo the text.
    return undefined;
  }
  const before = problems.errors.length;
  for (const name of repeatedNames(text)) problems.error('', 'duplicate_key', `line ${name.line}: ${name.name} occurs twice in one object`);
  return problems.errors.length > before ? undefined : value;
}

/** Walks the tokens of a text that is known to be JSON. */
function repeatedNames(text: string): { name: string; line: number }[] {
  const repeated: { name: string; line: number }[] = [];
  const open: (Set<string> | undefined)[] = []; // Names of an object; `undefined` for a list.
  let nameExpected = false;
  let line = 1;
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '\n':
        line += 1;
        break;
      case '{':
        open.push(new Set());
        nameExpected = true;
        break;
      case '[':
        open.push(undefined);
        nameExpected = false;
        break;
      case '}':
      case ']':
        open.pop();
        nameExpected = false;
        break;
      case ',':
        nameExpected = open.at(-1) !== undefined;
        break;
      case '"': {
        const end = endOfString(text, i);
        if (nameExpected) {
          const name = JSON.parse(text.slice(i, end + 1)) as string;
          const names = open.at(-1);
          if (names?.has(name) === true) repeated.push({ name: name.slice(0, 100), line });
          names?.add(name);
          nameExpected = false;
        }
        i = end;
        break;
      }
      default: // White space, colons, numbers and words.
    }
  }
  return repeated;
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; ; i++) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i;
  }
}
