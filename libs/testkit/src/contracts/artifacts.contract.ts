import assert from 'node:assert/strict';
import { sha256HexOfBytes } from '@cairn/kernel';
import { ARTIFACT_BYTES_MAX, type Artifacts } from '@cairn/ports';
import type { ContractCase, Harness } from './contract.js';

/** Artifacts in the hands of their spec. */
export interface ArtifactsHarness extends Harness {
  readonly artifacts: Artifacts;
  /** The process dies; answers what its successor opens. */
  readonly crash: () => Promise<Artifacts>;
  /** Changes what is stored behind the adapter's back. */
  readonly corrupt: (sha256: string, bytes: Uint8Array) => Promise<void>;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const refused = (code: string) => (error: unknown) => error instanceof Error && 'code' in error && error.code === code;
const ABSENT = 'f'.repeat(64);

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

/** The promises of `Artifacts`. */
export const artifactsContract: readonly ContractCase<ArtifactsHarness>[] = [
  {
    name: 'what is put under its digest is got back, byte for byte',
    run: async ({ artifacts }) => {
      for (const bytes of [bytesOf('hello'), new Uint8Array(0), Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)]) {
        const sha256 = await artifacts.put(bytes);
        assert.equal(sha256, sha256HexOfBytes(bytes));
        const found = await artifacts.get(sha256);
        assert.ok(found !== undefined && Buffer.from(found).equals(bytes));
      }
      assert.equal(await artifacts.get(ABSENT), undefined);
    },
  },
  {
    name: 'duplicate and concurrent writer: equal bytes are one artifact, whoever comes first',
    run: async ({ artifacts }) => {
      const bytes = bytesOf('the same');
      const digests = new Set(await Promise.all(Array.from({ length: 16 }, () => artifacts.put(bytes))));
      digests.add(await artifacts.put(bytes));
      assert.deepEqual([...digests], [sha256HexOfBytes(bytes)]);
      assert.deepEqual(Buffer.from((await artifacts.get([...digests][0]!))!), Buffer.from(bytes));
    },
  },
  {
    name: 'nobody changes an artifact by changing the bytes that were put or got',
    run: async ({ artifacts }) => {
      const bytes = bytesOf('stays');
      const sha256 = await artifacts.put(bytes);
      bytes.fill(0);
      (await artifacts.get(sha256))!.fill(0);
      assert.deepEqual(Buffer.from((await artifacts.get(sha256))!), Buffer.from('stays'));
    },
  },
  {
    name: 'crash: what was put is there, and its names still point at it or at nothing',
    run: async ({ artifacts, crash }) => {
      const sha256 = await artifacts.put(bytesOf('durable'));
      await artifacts.setName('snapshot', sha256);
      const next = await crash();
      assert.deepEqual(Buffer.from((await next.get(sha256))!), Buffer.from('durable'));
      assert.ok([sha256, undefined].includes(await next.getName('snapshot')));
    },
  },
  {
    name: 'a stored artifact that does not hash to its name is artifact_corrupt, never an answer; putting it again repairs it',
    run: async ({ artifacts, corrupt }) => {
      const sha256 = await artifacts.put(bytesOf('right'));
      for (const wrong of ['wrong', 'righ', '']) {
        await corrupt(sha256, bytesOf(wrong));
        await assert.rejects(artifacts.get(sha256), refused('artifact_corrupt'));
      }
      await artifacts.put(bytesOf('right'));
      assert.deepEqual(Buffer.from((await artifacts.get(sha256))!), Buffer.from('right'));
    },
  },
  {
    name: 'refuses what is too large and stores nothing of it',
    run: async ({ artifacts }) => {
      const bytes = new Uint8Array(ARTIFACT_BYTES_MAX + 1);
      await assert.rejects(artifacts.put(bytes), refused('artifact_too_large'));
      assert.equal(await artifacts.get(sha256HexOfBytes(bytes)), undefined);
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
