import type { Json } from '@cairn/kernel';
import { CUT, cut, cutToBytes, jsonBytes } from './cut-text.js';
import { look } from './look.js';

/** Levels of nesting that are kept: error bodies have three or four. */
const DEPTH_MAX = 8;
/** Characters of a field's name that are kept. */
const NAME_MAX = 200;
/** Kept back for the marks of what is left out, one a level. */
const MARKS_BYTES = 256;
/** Fields that the server refuses, since they reach a prototype or a serialiser. */
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'toJSON']);

/**
 * Anything as JSON of at most `bytesMax` bytes (at least 512), never throwing (B-28): what cannot be read, goes round in a circle or does
 * not fit is replaced by a mark. Where not all fits, long texts are cut first, so that what stands behind them is seen.
 */
export function jsonWithin(value: unknown, bytesMax: number): Json {
  const whole = new Copy(bytesMax, Infinity);
  const copy = whole.of(value, 1) ?? null;
  return whole.complete ? copy : (new Copy(bytesMax, bytesMax / 4).of(value, 1) ?? null);
}

class Copy {
  complete = true;
  #left: number;
  readonly #open = new Set<object>();

  constructor(
    bytesMax: number,
    private readonly textMax: number,
  ) {
    this.#left = bytesMax - MARKS_BYTES;
  }

  /** `undefined` for what JSON leaves out. */
  of(value: unknown, depth: number): Json | undefined {
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'number':
        this.#left -= 26; // The longest a number gets, as text.
        return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : String(value);
      case 'bigint':
        return this.#text(String(value));
      case 'boolean':
        this.#left -= 5;
        return value;
      case 'object':
        return value === null ? this.#null() : this.#object(value, depth);
      default:
        return undefined;
    }
  }

  #text(text: string): string {
    const room = Math.min(this.#left, this.textMax);
    const kept = room > 0 ? cutToBytes(text, room) : CUT;
    if (kept !== text.toWellFormed()) this.complete = false;
    this.#left -= jsonBytes(kept);
    return kept;
  }

  #null(): null {
    this.#left -= 4;
    return null;
  }

  #object(value: object, depth: number): Json {
    if (this.#open.has(value)) return this.#mark('[circle]');
    if (depth > DEPTH_MAX) return this.#mark(CUT);
    if (ArrayBuffer.isView(value)) return this.#mark(`[${value.byteLength} bytes]`);
    this.#open.add(value);
    try {
      const toJson = look(value, 'toJSON');
      if (typeof toJson === 'function') {
        const plain: unknown = toJson.call(value, '');
        if (plain !== value) return this.of(plain, depth + 1) ?? this.#null();
      }
      return Array.isArray(value) ? this.#list(value, depth) : this.#fields(value, depth);
    } catch {
      return this.#mark('[cannot be read]');
    } finally {
      this.#open.delete(value);
    }
  }

  #list(list: readonly unknown[], depth: number): Json {
    const copy: Json[] = [];
    this.#left -= 2;
    for (let i = 0; i < list.length; i++) {
      if (!this.#hasRoom()) return [...copy, CUT];
      this.#left -= 1;
      copy.push(this.of(list[i], depth + 1) ?? this.#null());
    }
    return copy;
  }

  #fields(object: object, depth: number): Json {
    const copy: { [name: string]: Json } = {};
    this.#left -= 2;
    for (const key of Object.keys(object)) {
      if (FORBIDDEN.has(key)) continue;
      if (!this.#hasRoom()) {
        copy['…'] = CUT;
        break;
      }
      const name = cut(key, NAME_MAX);
      this.#left -= jsonBytes(name) + 2;
      const child = this.#child(object, key, depth);
      if (child !== undefined) copy[name] = child;
    }
    return copy;
  }

  /** One field that throws when it is read must not hide the others. */
  #child(object: object, key: string, depth: number): Json | undefined {
    let child: unknown;
    try {
      child = (object as Record<string, unknown>)[key];
    } catch {
      return this.#mark('[cannot be read]');
    }
    return this.of(child, depth + 1);
  }

  #hasRoom(): boolean {
    if (this.#left > 64) return true;
    this.complete = false;
    return false;
  }

  #mark(mark: string): string {
    this.#left -= jsonBytes(mark);
    return mark;
  }
}
