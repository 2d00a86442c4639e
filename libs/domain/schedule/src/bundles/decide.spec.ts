import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@cairn/kernel';
import { importBundle } from './decide.js';
import type { BundleImported } from './events.js';
import { evolveImport, noBundle } from './evolve.js';

const bundle = (artifact: string): BundleImported['data'] => ({
  runId: 'r',
  ns: 'default',
  bundle: { artifact, bytes: 3, mediaType: 'application/x-ndjson' },
  lines: 3,
  hash: 'h',
  run: {
    workflow: 'w',
    version: '1.0.0',
    goal: null,
    attributes: {},
    state: 'active',
    sub: null,
    head: 'main',
    revision: 0,
    since: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:00.000Z',
  },
});
const after = (artifact: string) => evolveImport(noBundle, { type: 'BundleImported', data: bundle(artifact) as unknown as JsonObject });

describe('importing a bundle', () => {
  it('is an event the first time, and nothing the second', () => {
    expect(importBundle(noBundle, bundle('a'), undefined)).toMatchObject({ kind: 'accepted', events: [{ type: 'BundleImported' }] });
    expect(importBundle(after('a'), bundle('a'), undefined)).toEqual({ kind: 'nothing', because: 'unchanged' });
  });

  it('goes on from the one that is there, and from no other', () => {
    expect(importBundle(after('a'), bundle('b'), 'a')).toMatchObject({ kind: 'accepted' });
    for (const replaces of [undefined, 'c'])
      expect(importBundle(after('a'), bundle('b'), replaces)).toMatchObject({ kind: 'rejected', rejection: { code: 'bundle_conflict' } });
  });

  it('is not seen in events of another kind', () => {
    expect(evolveImport(noBundle, { type: 'EventKept', data: {} })).toBe(noBundle);
  });
});
