// Goal: the linter still refuses what the house refuses, where it does, and nothing beside it.
// Method: a line of code in a file that does not exist, linted under its name with this repository's configuration. Rules that need
// types are left to the linter's own run over the real tree.
import { describe, expect, it } from '@jest/globals';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { root } from './cruise.js';

const eslint = new ESLint({ cwd: root, overrideConfig: [{ files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked }] });

/** Ids of the rules that a text breaks. */
async function broken(file: string, code: string): Promise<readonly string[]> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: file });
  const messages = result?.messages ?? [];
  for (const { fatal, message } of messages) if (fatal === true) throw new Error(message);
  return messages.map(({ ruleId }) => ruleId ?? '');
}

const domain = 'libs/domain/run/src/planted.ts';
const service = 'services/execution/src/planted.ts';

const impure: readonly (readonly [code: string, rule: string])[] = [
  ['export const now = () => Date.now();', 'no-restricted-globals'],
  ['export const now = () => new Date();', 'no-restricted-globals'],
  ['export const luck = () => Math.random();', 'no-restricted-properties'],
  ['export const later = (f: () => void) => setTimeout(f, 1);', 'no-restricted-globals'],
  ['export const later = (f: () => void) => queueMicrotask(f);', 'no-restricted-globals'],
  ['export const env = () => process.env;', 'no-restricted-globals'],
  ['export const get = () => fetch("http://example.org");', 'no-restricted-globals'],
  ['export const say = () => console.log(1);', 'no-restricted-globals'],
  ['export const all = () => globalThis;', 'no-restricted-globals'],
  ['export async function f() {}', 'no-restricted-syntax'],
  ['export const f = async () => 1;', 'no-restricted-syntax'],
  ['export const f = (): Promise<void> => g(); declare function g(): Promise<void>;', 'no-restricted-syntax'],
  ['export const f = () => import("zod");', 'no-restricted-syntax'],
  ['import { readFileSync } from "node:fs"; export const f = readFileSync;', 'no-restricted-imports'],
  ['import { createHash } from "node:crypto"; export const f = createHash;', 'no-restricted-imports'],
  ['export const order = (a: string, b: string) => a.localeCompare(b);', 'no-restricted-properties'],
];

describe('the domain', () => {
  it.each(impure)('refuses %s', async (code, rule) => {
    expect(await broken(domain, code)).toContain(rule);
    expect(await broken('libs/kernel/src/planted.ts', code)).toContain(rule);
  });

  it.each(impure.filter(([, rule]) => rule !== 'no-restricted-syntax'))('leaves a service and a spec alone with %s', async (code) => {
    expect(await broken(service, code)).toEqual([]);
    expect(await broken('libs/domain/run/src/planted.spec.ts', code)).toEqual([]);
  });

  it('may hash in the two files that are for it', async () => {
    const code = 'import { createHash } from "node:crypto"; export const f = createHash;';
    expect(await broken('libs/kernel/src/digest.ts', code)).toEqual([]);
    expect(await broken('libs/kernel/src/ids.ts', code)).toEqual([]);
  });
});

describe('every file', () => {
  it.each([
    ['export * from "./other.js";', 'no-restricted-syntax'],
    ['import { a } from "."; export const b = a;', 'no-restricted-imports'],
    ['import { a } from "../index.js"; export const b = a;', 'no-restricted-imports'],
    ['import { EventBus } from "@nestjs/cqrs"; export const b = EventBus;', 'no-restricted-imports'],
    ['import { AggregateRoot } from "@nestjs/cqrs"; export const b = AggregateRoot;', 'no-restricted-imports'],
    ['export const f = (a: any) => a;', '@typescript-eslint/no-explicit-any'],
    ['export const f = (a?: string) => a!.length;', 'no-restricted-syntax'],
    ['export enum Color { Red }', 'no-restricted-syntax'],
    ['// @ts-ignore\nexport const a = 1;', '@typescript-eslint/ban-ts-comment'],
    ['export const f = (a: unknown) => a == 1;', 'eqeqeq'],
  ])('refuses %s', async (code, rule) => {
    expect(await broken(service, code)).toContain(rule);
    expect(await broken(domain, code)).toContain(rule);
  });

  it('may say that a checked index is there', async () => {
    expect(await broken(service, 'export const f = (list: number[]) => list[0]!;')).toEqual([]);
  });

  it('may take the two buses that forget nothing', async () => {
    expect(await broken(service, 'import { CommandBus, QueryBus } from "@nestjs/cqrs"; export const b = [CommandBus, QueryBus];')).toEqual(
      [],
    );
  });
});
