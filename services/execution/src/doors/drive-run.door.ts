import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { IncomingMessage, Settlement } from '@cairn/ports';
import type { Execution } from '../assemble.js';
import { EXECUTION } from './execution-token.js';

/** CommandBus routes by class, so the message travels inside one. */
export class DriveRunCommand extends Command<Settlement> {
  constructor(readonly message: IncomingMessage) {
    super();
  }
}

@CommandHandler(DriveRunCommand)
export class DriveRunDoor implements ICommandHandler<DriveRunCommand> {
  constructor(@Inject(EXECUTION) private readonly execution: Execution) {}

  execute({ message }: DriveRunCommand): Promise<Settlement> {
    return this.execution.handle(message);
  }
}
