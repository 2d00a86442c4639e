import { machineryDeclarations } from '@cairn/contracts';
import { PortsModule, readEnv, runService } from '@cairn/nest-kit';
import { humanReviewEnv } from './config.js';
import { humanReviewBindings, humanReviewConsumers } from './doors/bus.door.js';
import { HumanReviewModule } from './human-review.module.js';

runService({
  name: 'human-review',
  readConfig: (env) => readEnv(humanReviewEnv, env),
  metrics: machineryDeclarations,
  consumers: humanReviewConsumers,
  module: ({ ports }) => HumanReviewModule.on(PortsModule.of(ports)),
  bindings: () => humanReviewBindings,
});
