import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { executionRun } from '@cairn/contracts';
import { BUS } from '@cairn/nest-kit';
import type { Bound, Bus } from '@cairn/ports';
import type { Execution } from '../assemble.js';
import { DriveRunCommand } from './drive-run.door.js';
import { EXECUTION } from './execution-token.js';

/** Commands and replies of runs, as the bus brings them. Nothing is taken before what was open is known again. */
@Injectable()
export class BusDoor implements OnApplicationBootstrap, OnApplicationShutdown {
  private bound: Bound | undefined;

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(EXECUTION) private readonly execution: Execution,
    @Inject(CommandBus) private readonly commands: CommandBus,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.execution.start();
    this.bound = await this.bus.consume(executionRun, (message) => this.commands.execute(new DriveRunCommand(message)));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bound?.stop();
    await this.execution.stop();
  }
}
