import { executionPartition, machineryDeclarations } from '@cairn/contracts';
import { PARTITIONS } from '@cairn/kernel';
import { PortsModule, readEnv, runService } from '@cairn/nest-kit';
import type { Execution } from './assemble.js';
import { executionEnv } from './config.js';
import { executionBindings } from './doors/bus.door.js';
import { EXECUTION } from './doors/execution-token.js';
import { ExecutionModule } from './execution.module.js';

runService({
  name: 'execution',
  readConfig: (env) => readEnv(executionEnv, env),
  metrics: machineryDeclarations,
  consumers: Array.from({ length: PARTITIONS }, (_, partition) => executionPartition(partition)),
  module: ({ ports }) => ExecutionModule.on(PortsModule.of(ports)),
  leave: (app) => app.get<Execution>(EXECUTION, { strict: false }).leave(),
  bindings: (app) => executionBindings(app.get<Execution>(EXECUTION, { strict: false })),
});
