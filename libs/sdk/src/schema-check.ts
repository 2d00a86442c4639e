import type { JsonObject } from '@cairn/kernel';
import { z } from 'zod';

/** A zod schema, or JSON Schema 2020-12 as data. */
export type Schema<T> = z.ZodType<T> | JsonObject;

/** What a check found: the value as the schema reads it, or one sentence that names the fields. */
export type Checked = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly says: string };

/** A schema compiled once. Throws at once, not at the first task, when it is no schema. */
export function compileCheck(schema: Schema<unknown>, what: string): (value: unknown) => Checked {
  const type = isZod(schema) ? schema : fromJsonSchema(schema, what);
  return (value) => {
    const result = type.safeParse(value);
    return result.success ? { ok: true, value: result.data } : { ok: false, says: sentence(result.error) };
  };
}

function isZod(schema: Schema<unknown>): schema is z.ZodType<unknown> {
  return '~standard' in schema && 'safeParse' in schema;
}

function fromJsonSchema(schema: JsonObject, what: string): z.ZodType<unknown> {
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  } catch (error) {
    throw new TypeError(`${what}: neither a zod schema nor a JSON Schema that we understand`, { cause: error });
  }
}

/** At most five breaches as `pointer: says`; the rest are counted. */
function sentence(error: z.ZodError): string {
  const lines = error.issues.slice(0, 5).map(({ path, message }) => `${pointer(path)}: ${message}`);
  const more = error.issues.length - lines.length;
  return lines.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('') || '/';
}
