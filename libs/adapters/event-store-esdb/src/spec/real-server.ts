import { randomBytes } from 'node:crypto';
import { PATIENCE_MS, wallClock, type ArtifactsHarness, type EventStoreHarness } from '@cairn/testkit';
import { binaryEvent, EventStoreDBClient } from '@eventstore/db-client';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import { openEsdb, type Esdb } from '../open.js';
import { isolated } from './isolated-store.js';
import { randomness } from './system-ports.js';

/** A tag under the BSD licence; later ones than 24.6 are not. */
const IMAGE = 'eventstore/eventstore:23.10.6-bookworm-slim';
const PORT = 2_113;

export interface RealServer {
  readonly url: string;
  readonly dispose: () => Promise<void>;
}

/** A kind of real server, and how to get one, or what would mend that there is none. */
export interface Place {
  readonly name: string;
  readonly found: { readonly start: () => Promise<RealServer> } | { readonly missing: string };
}

/** The server that the environment names. */
export function namedServer(): Place {
  const url = process.env['CAIRN_TEST_ESDB'] ?? '';
  const missing = 'needs an EventStoreDB; set CAIRN_TEST_ESDB=esdb://host:port?tls=false to the address of one that may be written to';
  const start = async (): Promise<RealServer> => ({ url, dispose: async () => undefined });
  return { name: 'EventStoreDB where CAIRN_TEST_ESDB names one', found: url === '' ? { missing } : { start } };
}

/** A server in a container of its own. */
export async function containedServer(): Promise<Place> {
  const name = 'EventStoreDB in a container';
  try {
    await getContainerRuntimeClient();
    return { name, found: { start: startContainer } };
  } catch {
    return { name, found: { missing: 'needs a container runtime; install Docker or Podman, and start its service' } };
  }
}

async function startContainer(): Promise<RealServer> {
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ EVENTSTORE_INSECURE: 'true', EVENTSTORE_CLUSTER_SIZE: '1', EVENTSTORE_RUN_PROJECTIONS: 'None' })
    .withExposedPorts(PORT)
    .withWaitStrategy(Wait.forHttp('/health/live', PORT).forStatusCode(204))
    .start();
  return {
    url: `esdb://${container.getHost()}:${container.getMappedPort(PORT)}?tls=false`,
    dispose: async () => void (await container.stop()),
  };
}

/** Artifacts on a server that other cases have used before: equal bytes are one artifact anyway. */
export async function artifactsHarness(url: string): Promise<ArtifactsHarness> {
  const esdb = await openEsdb({ url, clock: wallClock, randomness });
  const damager = EventStoreDBClient.connectionString(url);
  return {
    artifacts: esdb.artifacts,
    crash: async () => esdb.artifacts,
    corrupt: async (sha256, bytes) => {
      const stream = `blob-${sha256}`;
      const wrong = binaryEvent({ type: 'BlobChunk', data: bytes, metadata: { chunk: 0, chunks: 1, sha256 } });
      const { nextExpectedRevision } = await damager.appendToStream(stream, wrong);
      await damager.setStreamMetadata(stream, { truncateBefore: Number(nextExpectedRevision) });
    },
    patienceMs: PATIENCE_MS,
    dispose: async () => {
      await esdb.close();
      await damager.dispose();
    },
  };
}

/** One case on a server that other cases have used before. */
export async function sharedHarness(url: string): Promise<EventStoreHarness> {
  const opened: Esdb[] = [];
  const ids = new Map<string, string>();
  const word = `${randomBytes(6).toString('hex')}x`;
  const open = async (): Promise<Esdb> => {
    const esdb = await openEsdb({ url, clock: wallClock, randomness });
    opened.push(esdb);
    return esdb;
  };
  const first = await open();
  const begin = await first.store.newest();
  const view = async () => isolated((await open()).store, word, begin, ids);
  return {
    store: isolated(first.store, word, begin, ids),
    another: view,
    crash: view,
    patienceMs: PATIENCE_MS,
    dispose: async () => void (await Promise.all(opened.map((esdb) => esdb.close()))),
  };
}
