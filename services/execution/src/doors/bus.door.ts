import { Controller, Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { executionRun } from '@cairn/contracts';
import { outcomeOf, type Binding, type DoorOutcome } from '@cairn/nest-kit';
import type { IncomingMessage } from '@cairn/ports';
import type { Execution } from '../assemble.js';
import { DriveRunCommand } from './drive-run.door.js';

/** Its one door, and the consumers that bring messages there: one in the embedded default, one a partition on a server. */
export const executionBindings = (execution: Execution): readonly Binding[] =>
  execution.consumers.map((consumer) => ({ pattern: executionRun.durable, ...consumer }));

/** Commands and replies of runs, as the bus brings them. */
@Controller()
export class BusDoor {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @MessagePattern(executionRun.durable)
  driveRun(@Payload() message: IncomingMessage): Promise<DoorOutcome> {
    return outcomeOf(this.commands.execute(new DriveRunCommand(message)));
  }
}
