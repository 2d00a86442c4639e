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
    name: 'crash: what was put is there',
    run: async ({ artifacts, crash }) => {
      const sha256 = await artifacts.put(bytesOf('durable'));
      const next = await crash();
      assert.deepEqual(Buffer.from((await next.get(sha256))!), Buffer.from('durable'));
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
];
