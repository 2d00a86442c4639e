import assert from 'node:assert/strict';
import type { NamedArtifacts } from '@cairn/ports';
import type { ContractCase, Harness } from './contract.js';

/** Named artifacts in the hands of their spec. */
export interface NamedArtifactsHarness extends Harness {
  readonly artifacts: NamedArtifacts;
  /** The process dies; answers what its successor opens. */
  readonly crash: () => Promise<NamedArtifacts>;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Names that point out of a folder, are longer than a file's name may be, or collide on a file system that folds case. */
const NAMES = [
  '../../escape',
  '/etc/passwd',
  'a/b',
  'a',
  'A',
  '.',
  '..',
  'n'.repeat(5_000),
  'ü\u{1f600}',
  'snapshot run-1+main@500 v3',
  'a\u0000b',
  '',
];

/** What `NamedArtifacts` promises beyond `Artifacts`. */
export const namedArtifactsContract: readonly ContractCase<NamedArtifactsHarness>[] = [
  {
    name: 'crash: a name still points at what it was set to, or at nothing',
    run: async ({ artifacts, crash }) => {
      const sha256 = await artifacts.put(bytesOf('disposable'));
      await artifacts.setName('snapshot', sha256);
      assert.equal(await artifacts.getName('snapshot'), sha256);
      assert.ok([sha256, undefined].includes(await (await crash()).getName('snapshot')));
    },
  },
  {
    name: 'a name points at what it was set to last; any text is a name of its own',
    run: async ({ artifacts }) => {
      const digests = await Promise.all(NAMES.map((name, i) => artifacts.put(bytesOf(`${i}${name}`))));
      assert.equal(await artifacts.getName('a'), undefined);
      for (const [i, name] of NAMES.entries()) await artifacts.setName(name, digests[(i + 1) % NAMES.length]!);
      for (const [i, name] of NAMES.entries()) await artifacts.setName(name, digests[i]!);
      for (const [i, name] of NAMES.entries()) assert.equal(await artifacts.getName(name), digests[i], JSON.stringify(name.slice(0, 20)));
    },
  },
  {
    name: 'concurrent writer: of several that set one name one wins whole',
    run: async ({ artifacts }) => {
      const digests = await Promise.all(Array.from({ length: 8 }, (_, i) => artifacts.put(bytesOf(`v${i}`))));
      await Promise.all(digests.map((sha256) => artifacts.setName('one', sha256)));
      assert.ok(digests.includes((await artifacts.getName('one'))!));
    },
  },
];
