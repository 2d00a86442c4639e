import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { IncomingMessage, Settlement } from '@cairn/ports';
import type { RetryPolicy } from '../assemble.js';
import { RETRY_POLICY } from './retry-policy-token.js';

/** CommandBus routes by class, so the message travels inside one. */
export class JudgeFailureCommand extends Command<Settlement> {
  constructor(readonly message: IncomingMessage) {
    super();
  }
}

@CommandHandler(JudgeFailureCommand)
export class JudgeFailureDoor implements ICommandHandler<JudgeFailureCommand> {
  constructor(@Inject(RETRY_POLICY) private readonly retryPolicy: RetryPolicy) {}

  execute({ message }: JudgeFailureCommand): Promise<Settlement> {
    return this.retryPolicy.onStepFailed(message);
  }
}
