import { Controller, Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { schedulingCommands, schedulingIntake, schedulingOnRunFacts } from '@cairn/contracts';
import { outcomeOf, type Binding, type DoorOutcome } from '@cairn/nest-kit';
import type { IncomingMessage } from '@cairn/ports';
import type { Scheduling } from '../assemble.js';
import { SCHEDULING } from './scheduling-token.js';
import { TakeSchedulingCommand } from './take-command.door.js';
import { TakeEventCommand } from './take-event.door.js';

/** What scheduling hears, and the consumers that bring it. */
export const schedulingConsumers = [schedulingIntake, schedulingCommands, schedulingOnRunFacts] as const;
export const schedulingBindings: readonly Binding[] = schedulingConsumers.map((spec) => ({ pattern: spec.durable, spec }));

/** Events, commands and facts, as the bus brings them. */
@Controller()
export class BusDoor {
  constructor(
    @Inject(SCHEDULING) private readonly scheduling: Scheduling,
    @Inject(CommandBus) private readonly commands: CommandBus,
  ) {}

  @MessagePattern(schedulingIntake.durable)
  takeEvent(@Payload() message: IncomingMessage): Promise<DoorOutcome> {
    return outcomeOf(this.commands.execute(new TakeEventCommand(message)));
  }

  @MessagePattern(schedulingCommands.durable)
  takeCommand(@Payload() message: IncomingMessage): Promise<DoorOutcome> {
    return outcomeOf(this.commands.execute(new TakeSchedulingCommand(message)));
  }

  @MessagePattern(schedulingOnRunFacts.durable)
  onRunFact(): Promise<DoorOutcome> {
    return outcomeOf(this.scheduling.onRunFact());
  }
}
