import { checkBody, type ProblemCode } from '@cairn/contracts';
import { refuse } from '../edge/refused.js';

type Schema<T> = Parameters<typeof checkBody<T>>[0];

/** The body as its schema has it, or a refusal with all of its faults. */
export function checkedBody<T>(schema: Schema<T>, body: unknown): T {
  const checked = checkBody(schema, body);
  if (checked.kind === 'ok') return checked.value;
  const code: ProblemCode = checked.errors.every(({ rule }) => rule === 'unknown_field') ? 'unknown_field' : 'invalid_body';
  return refuse(code, 'The body does not have the fields that are asked for.', { errors: checked.errors });
}
