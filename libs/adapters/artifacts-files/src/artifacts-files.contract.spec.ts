import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  artifactsContract,
  namedArtifactsContract,
  PATIENCE_MS,
  tryCase,
  type ArtifactsHarness,
  type NamedArtifactsHarness,
} from '@cairn/testkit';
import { createFileArtifacts } from './file-artifacts.js';

async function make(): Promise<ArtifactsHarness & NamedArtifactsHarness> {
  const parent = await mkdtemp(join(tmpdir(), 'cairn-artifacts-'));
  const folder = join(parent, 'artifacts');
  return {
    artifacts: await createFileArtifacts(folder),
    crash: () => createFileArtifacts(folder),
    corrupt: (sha256, bytes) => writeFile(join(folder, sha256.slice(0, 2), sha256.slice(2)), bytes),
    patienceMs: PATIENCE_MS,
    dispose: async () => {
      expect(await readdir(parent)).toEqual(['artifacts']); // No name pointed out of the folder.
      await rm(parent, { recursive: true });
    },
  };
}

describe('artifacts on files keep the promises of Artifacts and NamedArtifacts', () => {
  for (const promise of artifactsContract) it(promise.name, () => tryCase(promise, make));
  for (const promise of namedArtifactsContract) it(promise.name, () => tryCase(promise, make));

  it('leaves nothing half-written behind, and says artifacts_unavailable where there is no folder', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'cairn-artifacts-'));
    await writeFile(join(parent, 'file'), '');
    await expect(createFileArtifacts(join(parent, 'file', 'below'))).rejects.toMatchObject({ code: 'artifacts_unavailable' });
    const artifacts = await createFileArtifacts(join(parent, 'a'));
    await Promise.all(Array.from({ length: 20 }, (_, i) => artifacts.put(Buffer.from(`blob ${i % 7}`))));
    const files = await readdir(join(parent, 'a'), { recursive: true });
    expect(files.filter((file) => file.endsWith('.tmp'))).toEqual([]);
    await rm(parent, { recursive: true });
  });
});
