import { machineryDeclarations } from '@cairn/contracts';
import { PortsModule, readEnv, runService } from '@cairn/nest-kit';
import { schedulingEnv } from './config.js';
import { schedulingBindings, schedulingConsumers } from './doors/bus.door.js';
import { SchedulingModule } from './scheduling.module.js';

runService({
  name: 'scheduling',
  readConfig: (env) => readEnv(schedulingEnv, env),
  metrics: machineryDeclarations,
  consumers: schedulingConsumers,
  module: ({ ports }) => SchedulingModule.on(PortsModule.of(ports)),
  bindings: () => schedulingBindings,
});
