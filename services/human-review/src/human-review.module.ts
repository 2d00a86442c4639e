import { Inject, Module, type DynamicModule, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Folds } from '@cairn/application';
import { CqrsModule } from '@nestjs/cqrs';
import { ARTIFACTS, BUS, CLOCK, DISPOSABLES, EVENT_STORE, FOLDS, IDS, METRICS, RANDOMNESS } from '@cairn/nest-kit';
import type { Artifacts, Bus, Clock, EventStore, Ids, Metrics, NamedArtifacts, Randomness } from '@cairn/ports';
import { assembleHumanReview, type HumanReview } from './assemble.js';
import type { HumanReviewConfig } from './config.js';
import { BusDoor } from './doors/bus.door.js';
import { HUMAN_REVIEW } from './doors/human-review-token.js';
import { TakeCommandDoor } from './doors/take-command.door.js';

/** human-review as a Nest module: ports in, doors open. */
@Module({})
export class HumanReviewModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(HUMAN_REVIEW) private readonly humanReview: HumanReview) {}

  /** `ports`: the module that provides the ports. */
  static on(ports: DynamicModule, config: HumanReviewConfig = {}): DynamicModule {
    return {
      module: HumanReviewModule,
      imports: [ports, CqrsModule],
      providers: [
        {
          provide: HUMAN_REVIEW,
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
          ): HumanReview =>
            assembleHumanReview({ store, bus, artifacts, disposables, clock, ids, randomness, metrics, folds, config, bindBus: false }),
        },
        TakeCommandDoor,
      ],
      controllers: [BusDoor],
      exports: [HUMAN_REVIEW],
    };
  }

  /** The transport listens after this: nothing is taken before the working set has caught up. */
  onApplicationBootstrap(): Promise<void> {
    return this.humanReview.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.humanReview.stop();
  }
}
