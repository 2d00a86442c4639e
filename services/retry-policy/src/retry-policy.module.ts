import { Inject, Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Folds } from '@cairn/application';
import { CqrsModule } from '@nestjs/cqrs';
import { ARTIFACTS, BUS, CLOCK, DISPOSABLES, EVENT_STORE, FOLDS, IDS, METRICS, RANDOMNESS } from '@cairn/nest-kit';
import type { Artifacts, Bus, Clock, EventStore, Ids, Metrics, NamedArtifacts, Randomness } from '@cairn/ports';
import { assembleRetryPolicy, type RetryPolicy } from './assemble.js';
import type { RetryPolicyConfig } from './config.js';
import { BusDoor } from './doors/bus.door.js';
import { RETRY_POLICY } from './doors/retry-policy-token.js';
import { TakeCommandDoor } from './doors/take-command.door.js';

/** retry-policy as a Nest module: ports in, doors open. */
@Module({})
export class RetryPolicyModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(RETRY_POLICY) private readonly retryPolicy: RetryPolicy) {}

  /** `ports`: the module that provides the ports. */
  static on(ports: DynamicModule, config: RetryPolicyConfig = {}): DynamicModule {
    return {
      module: RetryPolicyModule,
      imports: [ports, CqrsModule],
      providers: [
        {
          provide: RETRY_POLICY,
          inject: [EVENT_STORE, BUS, ARTIFACTS, DISPOSABLES, CLOCK, IDS, RANDOMNESS, METRICS, FOLDS],
          useFactory: (
            store: EventStore,
            bus: Bus,
            artifacts: Artifacts,
            disposables: NamedArtifacts,
            clock: Clock,
            ids: Ids,
            randomness: Randomness,
            metrics: Metrics,
            folds: Folds,
          ): RetryPolicy =>
            assembleRetryPolicy({ store, bus, artifacts, disposables, clock, ids, randomness, metrics, folds, config, bindBus: false }),
        },
        TakeCommandDoor,
      ],
      controllers: [BusDoor],
      exports: [RETRY_POLICY],
    };
  }

  /** The transport listens after this: nothing is taken before the working set has caught up. */
  onApplicationBootstrap(): Promise<void> {
    return this.retryPolicy.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.retryPolicy.stop();
  }
}
