/**
 * Names what a run knows, as the text of an expression: `ref.input.vendorId` is `${input.vendorId}`, `ref.steps['fetch-doc'].output.url` is
 * `${steps['fetch-doc'].output.url}`. Stands wherever a template may stand, also inside a template literal.
 */
export type Ref = string & {
  // Which fields there are is only known when a run exists, and an index signature of `Ref` would say `Ref | undefined` to strict callers.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place: a path of any depth, each part of which is text
  readonly [field: string]: any;
};

/** What each reference stands for. A reference is an object so that it can have fields; `withoutRefs` puts the texts in its place. */
const sources = new WeakMap<object, string>();

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const INDEX = /^(0|[1-9][0-9]*)$/;
/** Words that CEL keeps for itself, which as fields need brackets. */
const RESERVED: ReadonlySet<string> = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(' '),
);

export const ref: { readonly [root in 'input' | 'steps' | 'run' | 'branch' | 'callbacks' | 'event']: Ref } = {
  input: refTo('input'),
  steps: refTo('steps'),
  run: refTo('run'),
  branch: refTo('branch'),
  callbacks: refTo('callbacks'),
  event: refTo('event'),
};

function refTo(source: string): Ref {
  const text = `\${${source}}`;
  const proxy: object = new Proxy(Object.freeze({}), {
    get: (_, field) => {
      if (field === Symbol.toPrimitive || field === 'toString' || field === 'toJSON') return () => text;
      return typeof field === 'string' ? refTo(source + accessor(field)) : undefined;
    },
  });
  sources.set(proxy, text);
  return proxy as Ref;
}

function accessor(field: string): string {
  if (INDEX.test(field)) return `[${field}]`;
  if (IDENTIFIER.test(field) && !RESERVED.has(field)) return `.${field}`;
  return `['${field.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}']`;
}

/** A copy in which every reference is its text. Everything else stays as it is: the compiler judges it. */
export function withoutRefs(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const text = sources.get(value);
  if (text !== undefined) return text;
  if (Array.isArray(value)) return value.map(withoutRefs);
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, withoutRefs(field)]));
}
