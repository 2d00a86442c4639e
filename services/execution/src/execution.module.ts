import { Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { WorkDesk } from '@cairn/contracts';
import { ARTIFACTS, BUS, CLOCK, EVENT_STORE, METRICS, RANDOMNESS } from '@cairn/nest-kit';
import type { Artifacts, Bus, Clock, EventStore, Metrics, Randomness } from '@cairn/ports';
import { assembleExecution, type Execution } from './assemble.js';
import { BusDoor } from './doors/bus.door.js';
import { DriveRunDoor } from './doors/drive-run.door.js';
import { EXECUTION, WORK_DESK } from './doors/execution-token.js';

/** Execution as a Nest module: ports in, the desk out. */
@Module({})
export class ExecutionModule {
  /** `ports`: the module that provides the ports. */
  static on(ports: DynamicModule): DynamicModule {
    return {
      module: ExecutionModule,
      imports: [ports, CqrsModule],
      providers: [
        {
          provide: EXECUTION,
          inject: [EVENT_STORE, BUS, ARTIFACTS, CLOCK, RANDOMNESS, METRICS],
          useFactory: (
            store: EventStore,
            bus: Bus,
            artifacts: Artifacts,
            clock: Clock,
            randomness: Randomness,
            metrics: Metrics,
          ): Execution => assembleExecution({ store, bus, artifacts, clock, randomness, metrics, bindBus: false }),
        },
        { provide: WORK_DESK, inject: [EXECUTION], useFactory: (execution: Execution): WorkDesk => execution.desk },
        DriveRunDoor,
        BusDoor,
      ],
      exports: [WORK_DESK],
    };
  }
}
