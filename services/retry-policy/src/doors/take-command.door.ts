import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { IncomingMessage, Settlement } from '@cairn/ports';
import type { RetryPolicy } from '../assemble.js';
import { RETRY_POLICY } from './retry-policy-token.js';

/** What people ask of retry-policy: apply a policy. CommandBus routes by class, so the message travels inside one. */
export class TakeRetryPolicyCommand extends Command<Settlement> {
  constructor(readonly message: IncomingMessage) {
    super();
  }
}

@CommandHandler(TakeRetryPolicyCommand)
export class TakeCommandDoor implements ICommandHandler<TakeRetryPolicyCommand> {
  constructor(@Inject(RETRY_POLICY) private readonly retryPolicy: RetryPolicy) {}

  execute({ message }: TakeRetryPolicyCommand): Promise<Settlement> {
    return this.retryPolicy.takeCommand(message);
  }
}
