export { connectNats, isBelowFloor, SERVER_FLOOR, type ConnectOptions, type Credentials, type TlsFiles } from './connect.js';
export { createJetStreamBus, type JetStreamBus, type JetStreamBusOptions } from './jetstream-bus.js';
export { createNatsLine } from './line/nats-line.js';
export { applyTopology, diffTopology, recreateConsumer, type BusStreamSpec, type Difference } from './topology.js';
export { serverTime, standingsOf, type ConsumerStanding } from './standings.js';
export type { DeadLetter } from './dead-letters.js';
export type { Finding } from './watchdog.js';
export { createUserNkey } from './user-nkey.js';
