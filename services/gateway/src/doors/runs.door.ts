import { Body, Controller, Get, Headers, Inject, Param, Post, Query as QueryString, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Gateway, Params } from '../assemble.js';
import type { Query } from '../edge/params.js';
import type { RawBody } from '../edge/read-body.js';
import { streamHeaders } from '../queries/follow-run.js';
import { GATEWAY } from './gateway-token.js';
import { write } from './write-answer.js';

/** Runs over HTTP: signal, control, read, follow. A start does not come here: see `edge/fast-lane.ts`. Patterns keep a parameter from swallowing a verb (T-33). */
@Controller('v1/:ns')
export class RunsDoor {
  constructor(@Inject(GATEWAY) private readonly gateway: Gateway) {}

  @Post('runs/:id/signals/:name')
  signal(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.sendSignal(params, headers, body));
  }

  @Post('runs/:id(^[^:]+)::cancel')
  cancel(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.controlRun(params, 'cancel', headers, body, request.raw));
  }

  @Post('runs/:id(^[^:]+)::pause')
  pause(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.controlRun(params, 'pause', headers, body, request.raw));
  }

  @Post('runs/:id(^[^:]+)::unpause')
  unpause(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.controlRun(params, 'unpause', headers, body, request.raw));
  }

  @Get('runs')
  list(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.listRuns(params, query));
  }

  @Get('runs/:id')
  show(@Param() params: Params, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showRun(params));
  }

  @Get('runs/:id/state')
  state(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showState(params, query));
  }

  @Get('runs/:id/history')
  history(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showHistory(params, query));
  }

  @Get('runs/:id/waits')
  waits(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showWaits(params, query));
  }

  @Post('runs/:id/waits/:wait(^[^:]+)::reschedule')
  rescheduleWait(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.rescheduleWait(params, headers, body, request.raw));
  }

  @Post('runs/:id/waits/:wait(^[^:]+)::fire')
  fireWait(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.fireWait(params, headers, body, request.raw));
  }

  @Post('runs/:id/waits/:wait(^[^:]+)::link')
  giveLink(@Param() params: Params, @Body() body: RawBody | undefined, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.giveLink(params, body));
  }

  @Post('runs/:id/waits/:wait(^[^:]+)::preview')
  previewWait(
    @Param() params: Params,
    @Body() body: RawBody | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.previewWait(params, body));
  }

  @Get('runs/:id/verify')
  verify(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showVerification(params, query));
  }

  @Get('runs/:id/why')
  why(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showWhy(params, query));
  }

  @Get('runs/:id/retries')
  retries(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showRetries(params, query));
  }

  @Get('runs/:id/effects')
  effects(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.listEffects(params, query));
  }

  @Get('runs/:id/effects/:key')
  effect(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showEffect(params, query));
  }

  @Post('runs/:id/effects/:key(^.+)::reconcile')
  reconcile(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.controlEffect(params, 'effect.reconcile', headers, body, request.raw));
  }

  @Post('runs/:id/effects/:key(^.+)::compensate')
  compensate(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.controlEffect(params, 'effect.compensate', headers, body, request.raw));
  }

  @Get('runs/:id/branches')
  branches(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showBranches(params, query));
  }

  @Post('runs/:id/branches')
  openBranch(
    @Param() params: Params,
    @Headers() headers: IncomingHttpHeaders,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.openBranch(params, headers, body, request.raw));
  }

  @Post('runs/:id/branches::plan')
  planBranch(
    @Param() params: Params,
    @Body() body: RawBody | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.planBranch(params, body));
  }

  @Post('runs/:id/branches/:branch(^[^:]+)::abandon')
  abandonBranch(
    @Param() params: Params,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.abandonBranch(params, body, request.raw));
  }

  @Get('runs/:id/branches/:range/diff')
  diff(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showDiff(params, query));
  }

  @Get('runs/:id/result')
  result(@Param() params: Params, @QueryString() query: Query, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.awaitResult(params, query));
  }

  @Get('runs/:id/stream')
  async stream(
    @Param() params: Params,
    @QueryString() query: Query,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const text = await this.gateway.followRun(params, query, request.headers['last-event-id']);
    await reply.headers(streamHeaders).send(Readable.from(text));
  }
}
