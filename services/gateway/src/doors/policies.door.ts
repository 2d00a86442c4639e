import { Body, Controller, Get, Inject, Param, Put, Query as QueryString, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Gateway, Params } from '../assemble.js';
import type { Query } from '../edge/params.js';
import type { RawBody } from '../edge/read-body.js';
import { GATEWAY } from './gateway-token.js';
import { write } from './write-answer.js';

/** Retry policies over HTTP. */
@Controller('v1/:ns/policies')
export class PoliciesDoor {
  constructor(@Inject(GATEWAY) private readonly gateway: Gateway) {}

  @Get()
  list(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.listPolicies(params, query));
  }

  @Get(':name')
  show(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showPolicy(params, query));
  }

  @Put(':name')
  apply(@Param() params: Params, @Body() body: RawBody | undefined, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.applyPolicy(params, body));
  }
}
