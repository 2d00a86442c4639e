// The floors of the house: a project imports lower floors only, never a neighbour, so no circle can arise.
// `.dependency-cruiser.mjs` turns this table into its rules.

export const floors = [
  ['libs/kernel'],
  ['libs/ports', 'libs/domain/definition'],
  [
    'libs/domain/run',
    'libs/domain/schedule',
    'libs/domain/retry',
    'libs/domain/review',
    'libs/adapters/artifacts-files',
    'libs/adapters/bus-jetstream',
    'libs/adapters/bus-memory',
    'libs/adapters/event-store-esdb',
    'libs/adapters/event-store-libsql',
    'libs/adapters/event-store-memory',
    'libs/adapters/metrics-prom',
    'libs/adapters/simulated',
    'libs/adapters/system',
  ],
  ['libs/application', 'libs/contracts'],
  ['libs/nest-kit', 'libs/oracle', 'libs/sdk'],
  ['services/execution', 'services/scheduling', 'services/retry-policy', 'services/human-review', 'services/gateway'],
  ['services/standalone', 'libs/simulation'],
  ['services/cli'],
];

/** Projects that may import less than all lower floors: exactly these. */
export const mayImport = {
  'libs/domain/definition': ['libs/kernel'],
  'libs/domain/run': ['libs/kernel', 'libs/domain/definition'],
  'libs/domain/schedule': ['libs/kernel', 'libs/domain/definition'],
  'libs/domain/retry': ['libs/kernel', 'libs/domain/definition'],
  'libs/domain/review': ['libs/kernel', 'libs/domain/definition'],
  'libs/adapters/*': ['libs/kernel', 'libs/ports'],
  'libs/application': ['libs/kernel', 'libs/ports'],
  'libs/contracts': ['libs/kernel', 'libs/ports'],
  'libs/oracle': ['libs/kernel', 'libs/ports', 'libs/domain/*', 'libs/contracts'],
  'libs/nest-kit': ['libs/kernel', 'libs/ports', 'libs/adapters/*', 'libs/application', 'libs/contracts'],
  'libs/sdk': ['libs/kernel', 'libs/ports', 'libs/domain/definition', 'libs/contracts', 'libs/adapters/bus-jetstream'],
  'libs/testkit': ['libs/kernel', 'libs/ports'],
  // `bus apply` and `doctor` look at the bus and the store themselves: they are there for when no service runs.
  'services/cli': [
    'libs/kernel',
    'libs/ports',
    'libs/domain/definition',
    'libs/domain/retry', // `def lint` judges policies where no server is.
    'libs/application',
    'libs/contracts',
    'libs/oracle',
    'libs/sdk',
    'libs/nest-kit',
    'libs/adapters/bus-jetstream',
    'libs/adapters/system',
    'services/standalone',
  ],
  'examples/*': ['libs/sdk'],
};

/** Deciding halves: one service each may import one, beside simulation and specs. */
export const deciders = {
  'libs/domain/run': 'services/execution',
  'libs/domain/schedule': 'services/scheduling',
  'libs/domain/retry': 'services/retry-policy',
  'libs/domain/review': 'services/human-review',
};

/** Client libraries, and the only files that may import each (regular expressions of paths). */
export const importers = {
  '@nats-io/jetstream|@nats-io/nats-core|@nats-io/transport-node': '^(libs/adapters/bus-jetstream/src/|examples/nats-handler/)',
  nats: '^examples/nats-2-handler/',
  '@eventstore/db-client': '^(libs/adapters/event-store-esdb/src/|libs/testkit/src/esdb-stand-in/|examples/read-the-history/)',
  '@grpc/grpc-js|google-protobuf': '^libs/testkit/src/esdb-stand-in/',
  libsql: '^libs/adapters/event-store-libsql/src/',
  'prom-client': '^libs/adapters/metrics-prom/src/',
  '@bufbuild/cel': '^libs/domain/definition/src/cel(-tree)?\\.ts$',
  yaml: '^libs/domain/definition/src/yaml-text\\.ts$',
  'ajv|ajv-formats|re2js': '^libs/domain/definition/src/json-schema\\.ts$',
  rfc6902: '^libs/domain/definition/src/json-patch\\.ts$',
  undici: '^(libs/sdk|services/cli)/src/',
  pino: '^libs/nest-kit/src/',
  commander: '^services/cli/src/',
  canonicalize: '^libs/kernel/src/',
  'wink-nlp|wink-eng-lite-web-model': '^examples/',
  zod: '^(libs/contracts/src/|libs/nest-kit/src/service/config\\.ts$|libs/sdk/src/|libs/domain/.+/codec\\.ts$|services/.+/config\\.ts$)',
  fastify: '^(libs/nest-kit/src/|services/gateway/src/doors/|services/.+/main\\.ts$|services/.+\\.module\\.ts$)',
};

/** Where Nest lives. */
export const nestFiles = '^(libs/nest-kit/src/|services/.+/doors/|services/.+/main\\.ts$|services/.+\\.module\\.ts$)';
