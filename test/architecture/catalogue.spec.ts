// Goal: no message without a home. Every event has a schema, a place that adds it, a spec that names it and its line in the reference;
// every command is decided; every consumer is bound by the service whose name it bears.
import { describe, expect, it } from '@jest/globals';
import { consumers } from '@cairn/contracts';
import { eventSchemas as retryEvents } from '@cairn/domain-retry';
import { eventSchemas as reviewEvents } from '@cairn/domain-review';
import { eventSchemas as runEvents } from '@cairn/domain-run';
import { eventSchemas as scheduleEvents } from '@cairn/domain-schedule';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './cruise.js';
import { files } from './repository.js';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const libs = {
  'libs/domain/retry/': retryEvents,
  'libs/domain/review/': reviewEvents,
  'libs/domain/run/': runEvents,
  'libs/domain/schedule/': scheduleEvents,
} as const;
const typeOf = (key: string): string => key.slice(0, key.indexOf('@'));

/** Rows of a table of `docs/map.md`: the first cell's name -> the other cells. */
function rowsOf(title: string): ReadonlyMap<string, readonly string[]> {
  const [, section = ''] = read('docs/map.md').split(`## ${title}\n`);
  const [table = ''] = section.split('\n## ');
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim()),
    );
  return new Map(rows.map(([name = '', ...cells]) => [/`([^` ]+)/.exec(name)?.[1] ?? '', cells]));
}

describe.each(Object.entries(libs))('the events of %s', (lib, schemas) => {
  const sources = files
    .filter((file) => file.startsWith(lib) && file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map(read)
    .join('\n');
  const declared = [...sources.matchAll(/DomainEvent<\s*'(\w+)',\s*(\d+)/g)].map(([, type, version]) => `${type}@${version}`);

  it('have one schema for each version that is declared', () => {
    expect(Object.keys(schemas).sort()).toEqual(declared.sort());
  });

  it('are added somewhere, by decision alone', () => {
    const rows = rowsOf('An event is decided');
    expect(
      Object.keys(schemas)
        .map(typeOf)
        .filter((type) => !rows.get(type)?.[1]?.includes('/')),
    ).toEqual([]);
  });

  it('are named by a spec', () => {
    const specs = files
      .filter((file) => file.endsWith('.spec.ts'))
      .map(read)
      .join('\n');
    expect(
      Object.keys(schemas)
        .map(typeOf)
        .filter((type) => !new RegExp(`\\b${type}\\b`).test(specs)),
    ).toEqual([]);
  });

  it('stand in the reference', () => {
    const reference = read('docs/reference/history.md');
    expect(
      Object.keys(schemas)
        .map(typeOf)
        .filter((type) => !reference.includes(type)),
    ).toEqual([]);
  });
});

it('every command is decided by the function that is named for it', () => {
  const rows = [...rowsOf('A command is decided')];
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter(([, [by = '', where = '']]) => by === '' || where === '')).toEqual([]);
});

describe('every consumer', () => {
  it.each(consumers)(
    '$durable is bound by the service whose name it bears, and its filters are subjects',
    ({ durable, filters, bugsMax, inFlightMax, ackWaitMs }) => {
      const [service] = durable.split('__');
      expect(rowsOf('A message is consumed').get(durable.replace(/-\d+$/, '-<partition>'))?.[2]).toContain(`services/${service}/`);
      for (const filter of filters) expect(filter).toMatch(/^cairn(\.([a-z0-9-]+|\*))+(\.>)?$/);
      for (const limit of [bugsMax, inFlightMax, ackWaitMs]) expect(limit).toBeGreaterThan(0);
    },
  );

  it('has a name of its own', () => {
    expect(new Set(consumers.map(({ durable }) => durable)).size).toBe(consumers.length);
  });
});
