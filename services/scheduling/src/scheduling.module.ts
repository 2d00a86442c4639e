import { Inject, Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Folds } from '@cairn/application';
import { CqrsModule } from '@nestjs/cqrs';
import { ARTIFACTS, BUS, CLOCK, DISPOSABLES, EVENT_STORE, FOLDS, IDS, METRICS, RANDOMNESS } from '@cairn/nest-kit';
import type { Artifacts, Bus, Clock, EventStore, Ids, Metrics, NamedArtifacts, Randomness } from '@cairn/ports';
import { assembleScheduling, type Scheduling } from './assemble.js';
import type { SchedulingConfig } from './config.js';
import { BusDoor } from './doors/bus.door.js';
import { SCHEDULING } from './doors/scheduling-token.js';
import { TakeCommandDoor } from './doors/take-command.door.js';
import { TakeEventDoor } from './doors/take-event.door.js';

/** Scheduling as a Nest module: ports in, doors open. */
@Module({})
export class SchedulingModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(SCHEDULING) private readonly scheduling: Scheduling) {}

  /** `ports`: the module that provides the ports. */
  static on(ports: DynamicModule, config: SchedulingConfig = {}): DynamicModule {
    return {
      module: SchedulingModule,
      imports: [ports, CqrsModule],
      providers: [
        {
          provide: SCHEDULING,
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
          ): Scheduling =>
            assembleScheduling({ store, bus, artifacts, disposables, clock, ids, randomness, metrics, folds, config, bindBus: false }),
        },
        TakeEventDoor,
        TakeCommandDoor,
      ],
      controllers: [BusDoor],
      exports: [SCHEDULING],
    };
  }

  /** The transport listens after this: nothing is taken before the working set has caught up. */
  onApplicationBootstrap(): Promise<void> {
    return this.scheduling.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.scheduling.stop();
  }
}
