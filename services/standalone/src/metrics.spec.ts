import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { metricDeclarations, metricNames } from '@cairn/contracts';

const root = resolve(import.meta.dirname, '../../..');
const CALL = /\.(count|gauge|observe)\(\s*(?:'(cairn_[a-z_]+)'|metricNames\.([a-zA-Z]+))(?:,\s*(?:[^,{}]+,\s*)?\{([^}]*)\})?/g;
const kindOf = { count: 'counter', gauge: 'gauge', observe: 'histogram' } as const;

/** Every metric that some source tells: file, kind, name, labels. */
function told(): { readonly file: string; readonly kind: string; readonly name: string; readonly labels: readonly string[] }[] {
  return ['libs', 'services'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !/(^|\/)(node_modules|dist|testkit)\//.test(file))
      .flatMap((file) =>
        [...readFileSync(join(root, folder, file), 'utf8').matchAll(CALL)].map(([, call, literal, key, labels = '']) => ({
          file,
          kind: kindOf[call as keyof typeof kindOf],
          name: literal ?? metricNames[key as keyof typeof metricNames],
          labels: labels
            .split(',')
            .map((label) => label.split(':')[0]?.trim() ?? '')
            .filter((label) => label !== '')
            .sort(),
        })),
      ),
  );
}

describe('the metrics of all services', () => {
  const declared = new Map(metricDeclarations.map((metric) => [metric.name, metric]));

  it('are each declared with their kind and labels: an undeclared one is a bug at run time', () => {
    const all = told();
    expect(all.length).toBeGreaterThan(10);
    for (const { file, kind, name, labels } of all) {
      const declaration = declared.get(name);
      expect({ file, name, kind: declaration?.kind, labels: [...(declaration?.labels ?? [])].sort() }).toEqual({
        file,
        name,
        kind,
        labels,
      });
    }
  });

  it('have names that say their unit, and no label that could hold an id', () => {
    for (const { name, kind, labels = [] } of metricDeclarations) {
      expect(name).toMatch(kind === 'counter' ? /^cairn_[a-z_]+_total$/ : /^cairn_[a-z_]+$/);
      expect(labels.filter((label) => ['run', 'branch', 'checkpoint', 'user', 'message'].includes(label))).toEqual([]);
    }
  });
});
