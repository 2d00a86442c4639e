import { z } from 'zod';
import type { SchemaOf } from './workflow-fields.js';

/** Formats that the engine checks by themselves; zod's patterns for them look ahead, which linear matching cannot. */
const CHECKED_FORMATS: ReadonlySet<string> = new Set([
  'date-time',
  'date',
  'time',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uri',
  'uuid',
]);

/** JSON Schema of what a caller sends: fields with a default may be absent. Throws for zod types that JSON cannot express. */
export function jsonSchemaOf(schema: SchemaOf): unknown {
  if (!(schema instanceof z.ZodType)) return schema;
  const json = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === undefined) return;
      if (CHECKED_FORMATS.has(jsonSchema.format)) delete jsonSchema.pattern;
      else delete jsonSchema.format;
    },
  });
  return JSON.parse(JSON.stringify(json)) as unknown; // Zod hangs its own members on the result.
}
