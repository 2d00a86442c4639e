import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { schedulingCommands, schedulingIntake, schedulingOnRunFacts } from '@cairn/contracts';
import { BUS } from '@cairn/nest-kit';
import type { Bound, Bus } from '@cairn/ports';
import type { Scheduling } from '../assemble.js';
import { SCHEDULING } from './scheduling-token.js';
import { TakeSchedulingCommand } from './take-command.door.js';
import { TakeEventCommand } from './take-event.door.js';

/** Events, commands and facts, as the bus brings them. Nothing is taken before the working set has caught up. */
@Injectable()
export class BusDoor implements OnApplicationBootstrap, OnApplicationShutdown {
  private bound: readonly Bound[] = [];

  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(SCHEDULING) private readonly scheduling: Scheduling,
    @Inject(CommandBus) private readonly commands: CommandBus,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.scheduling.start();
    this.bound = await Promise.all([
      this.bus.consume(schedulingIntake, (message) => this.commands.execute(new TakeEventCommand(message))),
      this.bus.consume(schedulingCommands, (message) => this.commands.execute(new TakeSchedulingCommand(message))),
      this.bus.consume(schedulingOnRunFacts, () => this.scheduling.onRunFact()),
    ]);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.bound.map((bound) => bound.stop()));
    await this.scheduling.stop();
  }
}
