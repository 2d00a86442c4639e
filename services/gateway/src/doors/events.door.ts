import { Body, Controller, Get, Headers, Inject, Param, Post, Query as QueryString, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { Gateway, Params } from '../assemble.js';
import type { Query } from '../edge/params.js';
import type { RawBody } from '../edge/read-body.js';
import { GATEWAY } from './gateway-token.js';
import { write } from './write-answer.js';

/** Events from outside, their receipts, and what runs wait for. */
@Controller('v1/:ns')
export class EventsDoor {
  constructor(@Inject(GATEWAY) private readonly gateway: Gateway) {}

  @Post('events')
  publish(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.publishEvent(params, headers, body, request.raw));
  }

  @Get('events')
  find(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.findReceipt(params, query));
  }

  @Get('events/:receiptId')
  receipt(@Param() params: Params, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showReceipt(params));
  }

  @Get('waits')
  waits(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.listWaits(params, query));
  }

  @Get('waits/:id')
  wait(@Param() params: Params, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showWait(params));
  }
}
