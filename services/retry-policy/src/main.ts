import { machineryDeclarations } from '@cairn/contracts';
import { PortsModule, readEnv, runService } from '@cairn/nest-kit';
import { retryPolicyEnv } from './config.js';
import { retryPolicyBindings, retryPolicyConsumers } from './doors/bus.door.js';
import { RetryPolicyModule } from './retry-policy.module.js';

runService({
  name: 'retry-policy',
  readConfig: (env) => readEnv(retryPolicyEnv, env),
  metrics: machineryDeclarations,
  consumers: retryPolicyConsumers,
  module: ({ ports }, { CAIRN_NS: namespaces }) => RetryPolicyModule.on(PortsModule.of(ports), { namespaces }),
  bindings: () => retryPolicyBindings,
});
