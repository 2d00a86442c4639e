import { Controller, Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { retryPolicyCommands, retryPolicyOnStepFailed } from '@cairn/contracts';
import { outcomeOf, type Binding, type DoorOutcome } from '@cairn/nest-kit';
import type { IncomingMessage } from '@cairn/ports';
import type { RetryPolicy } from '../assemble.js';
import { RETRY_POLICY } from './retry-policy-token.js';
import { TakeRetryPolicyCommand } from './take-command.door.js';

/** What retry-policy hears, and the consumers that bring it. */
export const retryPolicyConsumers = [retryPolicyOnStepFailed, retryPolicyCommands] as const;
export const retryPolicyBindings: readonly Binding[] = retryPolicyConsumers.map((spec) => ({ pattern: spec.durable, spec }));

/** Failures and commands, as the bus brings them. */
@Controller()
export class BusDoor {
  constructor(
    @Inject(RETRY_POLICY) private readonly retryPolicy: RetryPolicy,
    @Inject(CommandBus) private readonly commands: CommandBus,
  ) {}

  @MessagePattern(retryPolicyOnStepFailed.durable)
  onStepFailed(@Payload() message: IncomingMessage): Promise<DoorOutcome> {
    return outcomeOf(this.retryPolicy.onStepFailed(message));
  }

  @MessagePattern(retryPolicyCommands.durable)
  takeCommand(@Payload() message: IncomingMessage): Promise<DoorOutcome> {
    return outcomeOf(this.commands.execute(new TakeRetryPolicyCommand(message)));
  }
}
