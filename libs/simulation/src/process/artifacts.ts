import type { NamedArtifacts } from '@cairn/ports';
import type { Life } from './life.js';

/** The world's artifacts as one life of a process sees them. */
export function artifactsOf(life: Life): NamedArtifacts {
  const { artifacts } = life.world;
  const around = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    await life.hop();
    await life.crashPoint(`before ${what}`);
    const value = await work();
    await life.hop();
    return value;
  };
  return {
    put: (bytes) => around('put', () => artifacts.put(bytes)),
    get: (sha256) => around('get', () => artifacts.get(sha256)),
    setName: (name, sha256) => around('setName', () => artifacts.setName(name, sha256)),
    getName: (name) => around('getName', () => artifacts.getName(name)),
  };
}
