import { JSON_DEPTH_MAX } from '@cairn/kernel';

/** Fields of one event's data: far above any real document, far below what takes a second to hash (B-4). */
export const DATA_FIELDS_MAX = 20_000;

/** What is wrong with a value that came over the bus and is to be stored. */
export interface DataFault {
  readonly rule: 'depth' | 'too_many' | 'number' | 'text' | 'field_name';
  readonly says: string;
}

const TOO_DEEP: DataFault = { rule: 'depth', says: `data is nested at most ${JSON_DEPTH_MAX} deep` };
const TOO_MANY: DataFault = { rule: 'too_many', says: `data has at most ${DATA_FIELDS_MAX} fields` };
const NO_NUMBER: DataFault = { rule: 'number', says: 'a number is finite' };
const NO_TEXT: DataFault = { rule: 'text', says: 'text is Unicode without half surrogate pairs' };
const NO_NAME: DataFault = { rule: 'field_name', says: 'no field is called __proto__ or prototype' };

/**
 * What keeps this value from being hashed and stored, or `undefined`. HTTP's edge refuses the same (B-4, B-5, B-7); over the bus
 * `JSON.parse` is all that has looked. A list of its own stands for the stack, so that a hostile nesting overflows nothing.
 */
export function faultOfData(data: unknown): DataFault | undefined {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: data, depth: 0 }];
  let fields = 0;
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, depth } = item;
    if (typeof value === 'string') {
      if (!value.isWellFormed()) return NO_TEXT;
    } else if (typeof value === 'number') {
      if (!Number.isFinite(value)) return NO_NUMBER;
    } else if (typeof value === 'object' && value !== null) {
      if (depth === JSON_DEPTH_MAX) return TOO_DEEP;
      for (const [name, inner] of Object.entries(value)) {
        fields += 1;
        if (name === '__proto__' || name === 'prototype') return NO_NAME;
        if (!name.isWellFormed()) return NO_TEXT;
        open.push({ value: inner, depth: depth + 1 });
      }
      if (fields > DATA_FIELDS_MAX) return TOO_MANY;
    }
  }
  return undefined;
}
