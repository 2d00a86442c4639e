import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Compiled } from '@cairn/domain-definition';
import type { CompiledPolicy } from '@cairn/domain-retry';
import { readTextFile } from './json-argument.js';
import { usage } from './refusal.js';

/** Compiles a file as the server would, without one: `.yaml`, `.yml`, `.json`, or a built module whose default export is a workflow. */
export async function compileFile(path: string): Promise<Compiled> {
  // CEL, JSON Schema and YAML cost more to load than all else here; commands that need no definition never do.
  const { compileDefinition, compileDefinitionText } = await import('@cairn/domain-definition');
  switch (extname(path)) {
    case '.yaml':
    case '.yml':
      return compileDefinitionText(readTextFile(path, path), 'yaml');
    case '.json':
      return compileDefinitionText(readTextFile(path, path), 'json');
    case '.js':
    case '.mjs':
      return compileDefinition(await defaultExport(path));
    default:
      throw usage(`${path}: a definition is a .yaml, .yml or .json file, or a built .js module whose default export is a workflow.`);
  }
}

/** Compiles a file that is a retry policy; `undefined` for whatever is none. */
export async function compilePolicyFile(path: string): Promise<CompiledPolicy | undefined> {
  const format = policyFormats[extname(path)];
  if (format === undefined) return undefined;
  const { Problems, readDocument } = await import('@cairn/domain-definition');
  const document = readDocument(readTextFile(path, path), format, new Problems());
  if (typeof document !== 'object' || document === null || !('policy' in document) || 'steps' in document) return undefined;
  return (await import('@cairn/domain-retry')).compilePolicy(document);
}

const policyFormats: { readonly [ending: string]: 'yaml' | 'json' | undefined } = { '.yaml': 'yaml', '.yml': 'yaml', '.json': 'json' };

async function defaultExport(path: string): Promise<unknown> {
  readTextFile(path, path); // Says in our words that there is no such file.
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
  } catch (error) {
    throw usage(`${path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (module.default === undefined) throw usage(`${path} has no default export.`);
  return module.default;
}
