import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Folds } from '@cairn/application';
import { CqrsModule } from '@nestjs/cqrs';
import type { WorkDesk } from '@cairn/contracts';
import { ARTIFACTS, BUS, CALLBACK_TOKENS, CLOCK, DISPOSABLES, EVENT_STORE, FOLDS, IDS, LINE, METRICS, RANDOMNESS } from '@cairn/nest-kit';
import type { Artifacts, Bus, CallbackTokens, Clock, EventStore, Ids, Line, Metrics, NamedArtifacts, Randomness } from '@cairn/ports';
import { assembleExecution, type Execution } from './assemble.js';
import { BusDoor } from './doors/bus.door.js';
import { DriveRunDoor } from './doors/drive-run.door.js';
import { EXECUTION, WORK_DESK } from './doors/execution-token.js';

/** Execution as a Nest module: ports in, the desk out. */
@Module({})
export class ExecutionModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(@Inject(EXECUTION) private readonly execution: Execution) {}

  /** `ports`: the module that provides the ports. */
  static on(ports: DynamicModule): DynamicModule {
    return {
      module: ExecutionModule,
      imports: [ports, CqrsModule],
      providers: [
        {
          provide: EXECUTION,
          inject: [EVENT_STORE, BUS, LINE, ARTIFACTS, DISPOSABLES, CALLBACK_TOKENS, CLOCK, IDS, RANDOMNESS, METRICS, FOLDS],
          useFactory: (
            store: EventStore,
            bus: Bus,
            line: Line | undefined,
            artifacts: Artifacts,
            disposables: NamedArtifacts,
            callbackTokens: CallbackTokens,
            clock: Clock,
            ids: Ids,
            randomness: Randomness,
            metrics: Metrics,
            folds: Folds,
          ): Execution =>
            assembleExecution({
              store,
              bus,
              artifacts,
              disposables,
              callbackTokens,
              clock,
              randomness,
              metrics,
              folds,
              bindBus: false,
              ...(line === undefined ? {} : { line, replica: ids.next() }),
            }),
        },
        { provide: WORK_DESK, inject: [EXECUTION], useFactory: (execution: Execution): WorkDesk => execution.desk },
        DriveRunDoor,
      ],
      controllers: [BusDoor],
      exports: [WORK_DESK, EXECUTION],
    };
  }

  /** The transport listens after this: nothing is taken before what was open is known again. */
  onApplicationBootstrap(): Promise<void> {
    return this.execution.start();
  }

  /** The transport drains after this: other replicas take over while what is under way here ends. */
  beforeApplicationShutdown(): void {
    this.execution.leave();
  }

  onApplicationShutdown(): Promise<void> {
    return this.execution.stop();
  }
}
