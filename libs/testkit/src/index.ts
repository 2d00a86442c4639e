export { notRun } from './not-run.js';
export { PATIENCE_MS, waitUntil, within } from './wait-until.js';
export { tryCase, type ContractCase, type Harness } from './contracts/contract.js';
export { eventStoreContract } from './contracts/event-store.contract.js';
export type { EventStoreHarness } from './contracts/event-store/harness.js';
export { chainOf, sealed, streamNo } from './contracts/sealed-events.js';
export { busContract, contractStreams } from './contracts/bus.contract.js';
export type { BusHarness } from './contracts/bus/harness.js';
export { lineContract } from './contracts/line.contract.js';
export type { LineHarness } from './contracts/line/harness.js';
export { wallClock } from './wall-clock.js';
export { OwnTime } from './own-time.js';
export { Spawned, type Exit } from './spawned.js';
export { standsStill } from './threads.js';
export { EffectServer } from './effect-server/effect-server.js';
export type { LedgerLine } from './effect-server/ledger.js';
export type { Behaviour, Mood } from './effect-server/behaviour.js';
export { TcpProxy, type Link } from './tcp-proxy/tcp-proxy.js';
export type { LinkFault } from './tcp-proxy/direction.js';
export { EsdbStandIn, type EsdbStandInOptions } from './esdb-stand-in/esdb-stand-in.js';
export type { StandInAppendFault } from './esdb-stand-in/faults.js';
export { SecuredNats, type SecuredNatsOptions } from './secured-nats.js';
export { userNkey, type Nkey } from './nkeys.js';
export { findNatsServer, RunningNats, type FoundNats, type RunningNatsOptions } from './running-nats.js';
export { artifactsContract, type ArtifactsHarness } from './contracts/artifacts.contract.js';
export { namedArtifactsContract, type NamedArtifactsHarness } from './contracts/named-artifacts.contract.js';
export { contractMetrics, metricsContract, type MetricsHarness } from './contracts/metrics.contract.js';
export {
  clockContract,
  idsContract,
  randomnessContract,
  type ClockHarness,
  type IdsHarness,
  type RandomnessHarness,
} from './contracts/time-and-chance.contract.js';
