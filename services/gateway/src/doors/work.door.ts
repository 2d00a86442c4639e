import { Body, Controller, Inject, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Gateway, Params } from '../assemble.js';
import type { RawBody } from '../edge/read-body.js';
import { GATEWAY } from './gateway-token.js';
import { write } from './write-answer.js';

/**
 * Work for handlers in any language. Frames of worker sessions (`work:exchange`) do not come here: see `edge/fast-lane.ts`.
 * The pattern keeps a parameter from swallowing `:poll` (`facts.md` T-33).
 */
@Controller('v1/:ns/work')
export class WorkDoor {
  constructor(@Inject(GATEWAY) private readonly gateway: Gateway) {}

  @Post(':queue(^[^:]+)::poll')
  poll(@Param() params: Params, @Body() body: RawBody | undefined, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.pollWork(params, body, reply.raw));
  }

  @Post(':attemptId(^[^:]+)::heartbeat')
  heartbeat(@Param() params: Params, @Body() body: RawBody | undefined, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.beat(params, body));
  }

  @Post(':attemptId(^[^:]+)::reply')
  reply(@Param() params: Params, @Body() body: RawBody | undefined, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.reply(params, body));
  }
}
