/**
 * Goal: what was written by an earlier release still means what it meant (I-4): reading it gives the same states, down to the digest of each
 * checkpoint, and breaks no invariant. Method: bundles of one run of every kind, recorded by each release (`node test/replay/main.mjs <version>`) and never
 * changed since, are verified and folded by the code of today.
 */
import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineSplitter } from '@cairn/contracts';
import { decodeRunEvents, eventSchemas, Lineage, stateView } from '@cairn/domain-run';
import { canon, type JsonObject } from '@cairn/kernel';
import { BundleCheck, type RunHistory } from '@cairn/oracle';

const folder = join(import.meta.dirname, 'histories');
/** By name and branch: where it stands, its state, and the digest of all that it holds. */
type Expected = Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;

/** The history of a bundle; what is wrong with it is named. */
function historyOf(path: string): { readonly history?: RunHistory; readonly findings: readonly unknown[] } {
  const [check, splitter] = [new BundleCheck(), new LineSplitter()];
  for (const line of splitter.push(readFileSync(path))) check.line(line);
  return check.finish(splitter.rest());
}

describe.each(readdirSync(folder))('histories of %s', (version) => {
  const expected = JSON.parse(readFileSync(join(folder, version, 'expected.json'), 'utf8')) as Expected;
  const names = Object.keys(expected);
  const met = new Set<string>();

  it.each(names)('%s is whole, and folds to what it was', (name) => {
    const { history, findings } = historyOf(join(folder, version, `${name}.jsonl`));
    expect(findings).toEqual([]);
    const branches = new Map([...(history?.branches ?? [])].map(([branch, events]) => [branch, decodeRunEvents(events)]));
    const lineage = new Lineage(history?.runId ?? '', branches);
    const wanted = expected[name] ?? {};
    expect([...branches.keys()].sort()).toEqual(Object.keys(wanted).sort());
    for (const [branch, wantedState] of Object.entries(wanted)) {
      const { path: _, ledger: __, ...told } = stateView(lineage.at(branch)) as JsonObject;
      expect(canon(told)).toBe(canon(wantedState));
      for (const { type } of branches.get(branch) ?? []) met.add(type);
    }
  });

  it('are of every kind of run: nearly every event that there was', () => {
    expect(names.length).toBeGreaterThan(50);
    expect(met.size / Object.keys(eventSchemas).length).toBeGreaterThan(0.75);
  });
});
