import type { Artifacts } from '@cairn/ports';
import { refuse } from '../edge/refused.js';

/** `GET artifacts/{sha256}`: its bytes, which are those that were put: a fault names it where what is stored is damaged. */
export async function getArtifact(artifacts: Artifacts, sha256: string): Promise<Uint8Array> {
  return (await artifacts.get(sha256)) ?? refuse('artifact_not_found', 'There is no artifact of that digest.');
}
