import type { Json } from '@cairn/kernel';
import { compileValue, type ValueExpression } from './cel.js';
import type { Evaluated, Root, Scope, Template } from './expressions.js';
import { TEMPLATE_BYTES_MAX } from './limits.js';
import { isLargerThan } from './size.js';
import { at } from './pointer.js';

/** A problem of one `${…}` inside a template; the pointer leads to its string. */
export interface TemplateProblem {
  readonly pointer: string;
  readonly says: string;
}

export interface CompiledTemplate {
  readonly template: Template;
  readonly expressions: readonly { readonly pointer: string; readonly expression: ValueExpression }[];
  readonly problems: readonly TemplateProblem[];
}

type Part = (scope: Scope) => Evaluated<Json>;

/** Compiles every `${…}` in a JSON value. With problems the template stands in for the value and must not be evaluated. */
export function compileTemplate(value: Json, roots: readonly Root[], pointer = ''): CompiledTemplate {
  const expressions: { pointer: string; expression: ValueExpression }[] = [];
  const problems: TemplateProblem[] = [];

  const compileText = (text: string, where: string): Part | undefined => {
    if (!text.includes('${')) return undefined;
    const pieces = splitText(text);
    if (pieces === undefined) {
      problems.push({ pointer: where, says: 'a ${ has no closing }' });
      return undefined;
    }
    const parts = pieces.map((piece) => {
      if (typeof piece === 'string') return piece;
      const compiled = compileValue(piece.source, roots);
      if (compiled.ok) {
        expressions.push({ pointer: where, expression: compiled.expression });
        return compiled.expression;
      }
      problems.push({ pointer: where, says: `\${${piece.source}}: ${compiled.says}` });
      return '';
    });
    const [only] = parts;
    return parts.length === 1 && typeof only === 'object' ? (scope) => only.evaluate(scope) : joined(parts);
  };

  const compile = (item: Json, where: string): Part | undefined => {
    if (typeof item === 'string') return compileText(item, where);
    if (typeof item !== 'object' || item === null) return undefined;
    if (Array.isArray(item)) {
      const parts = (item as readonly Json[]).map((child, i) => compile(child, at(where, i)));
      return parts.every((part) => part === undefined) ? undefined : listOf(item as readonly Json[], parts);
    }
    const entries = Object.entries(item).map(([key, child]) => [key, child, compile(child, at(where, key))] as const);
    return entries.every(([, , part]) => part === undefined) ? undefined : objectOf(entries);
  };

  const part = compile(value, pointer);
  const stepRefs = [...new Set(expressions.flatMap(({ expression }) => expression.stepRefs))];
  const constant: Evaluated<Json> = { ok: true, value };
  const evaluate = part === undefined ? () => constant : (scope: Scope) => withinSize(part(scope));
  return { template: { stepRefs, constant: part === undefined, evaluate }, expressions, problems };
}

function withinSize(result: Evaluated<Json>): Evaluated<Json> {
  if (!result.ok || !isLargerThan(result.value, TEMPLATE_BYTES_MAX)) return result;
  return { ok: false, error: `larger than ${TEMPLATE_BYTES_MAX} bytes; use an artifact` };
}

function joined(parts: readonly (string | ValueExpression)[]): Part {
  return (scope) => {
    let text = '';
    for (const part of parts) {
      if (typeof part === 'string') {
        text += part;
        continue;
      }
      const result = part.evaluate(scope);
      if (!result.ok) return result;
      if (result.value === null || typeof result.value === 'object')
        return { ok: false, error: `\${${part.source}} gives no text, number or bool` };
      text += String(result.value);
    }
    return { ok: true, value: text };
  };
}

function listOf(items: readonly Json[], parts: readonly (Part | undefined)[]): Part {
  return (scope) => {
    const list: Json[] = [];
    for (const [i, part] of parts.entries()) {
      if (part === undefined) {
        list.push(items[i] as Json);
        continue;
      }
      const result = part(scope);
      if (!result.ok) return result;
      list.push(result.value);
    }
    return { ok: true, value: list };
  };
}

function objectOf(entries: readonly (readonly [string, Json, Part | undefined])[]): Part {
  return (scope) => {
    const object: Record<string, Json> = {};
    for (const [key, child, part] of entries) {
      if (part === undefined) {
        object[key] = child;
        continue;
      }
      const result = part(scope);
      if (!result.ok) return result;
      object[key] = result.value;
    }
    return { ok: true, value: object };
  };
}

/** Literal text and the sources between `${` and its `}`; `undefined` if one is not closed. Braces and quotes of CEL nest. */
function splitText(text: string): (string | { source: string })[] | undefined {
  const pieces: (string | { source: string })[] = [];
  let from = 0;
  for (;;) {
    const start = text.indexOf('${', from);
    if (start < 0) break;
    const end = closingBrace(text, start + 2);
    if (end < 0) return undefined;
    if (start > from) pieces.push(text.slice(from, start));
    pieces.push({ source: text.slice(start + 2, end) });
    from = end + 1;
  }
  if (from < text.length) pieces.push(text.slice(from));
  return pieces;
}

function closingBrace(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (char === '{') depth += 1;
    else if (char === '}' && depth-- === 0) return i;
    else if (char === '"' || char === "'") {
      i = endOfString(text, i);
      if (i < 0) return -1;
    }
  }
  return -1;
}

/** Index of a CEL string's last quote: one or three quotes, `\` escapes unless an `r` stands before. */
function endOfString(text: string, start: number): number {
  const quote = text[start] as string;
  const fence = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  const raw = /[rR][bB]?$/.test(text.slice(Math.max(0, start - 2), start));
  for (let i = start + fence.length; i < text.length; i++) {
    if (!raw && text[i] === '\\') i += 1;
    else if (text.startsWith(fence, i)) return i + fence.length - 1;
  }
  return -1;
}
