import { machineryDeclarations } from '@cairn/contracts';
import { PortsModule, readEnv, runService } from '@cairn/nest-kit';
import type { Scheduling } from './assemble.js';
import { schedulingEnv } from './config.js';
import { schedulingBindings, schedulingConsumers } from './doors/bus.door.js';
import { SCHEDULING } from './doors/scheduling-token.js';
import { SchedulingModule } from './scheduling.module.js';

runService({
  name: 'scheduling',
  readConfig: (env) => readEnv(schedulingEnv, env),
  metrics: machineryDeclarations,
  consumers: schedulingConsumers,
  module: ({ ports }) => SchedulingModule.on(PortsModule.of(ports)),
  bindings: () => schedulingBindings,
  tell: (app) => app.get<Scheduling>(SCHEDULING, { strict: false }).tellMetrics(),
});
