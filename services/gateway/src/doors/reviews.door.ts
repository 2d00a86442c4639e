import { Body, Controller, Get, Inject, Param, Post, Query as QueryString, Req, Res } from '@nestjs/common';
import type { ReviewVerb } from '@cairn/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway, Params } from '../assemble.js';
import type { Query } from '../edge/params.js';
import type { RawBody } from '../edge/read-body.js';
import { GATEWAY } from './gateway-token.js';
import { write } from './write-answer.js';

/** Reviews over HTTP. A GET only shows: links are followed by programs. */
@Controller('v1/:ns')
export class ReviewsDoor {
  constructor(@Inject(GATEWAY) private readonly gateway: Gateway) {}

  @Get('reviews')
  list(
    @Param() params: Params,
    @QueryString() query: Query,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.listReviews(params, query, request.raw));
  }

  @Get('reviews/:id')
  show(@Param() params: Params, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    return write(reply, this.gateway.showReview(params));
  }

  @Post('reviews/:id(^[^:]+)::claim')
  claim(
    @Param() p: Params,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.command('claim', p, body, request, reply);
  }

  @Post('reviews/:id(^[^:]+)::release')
  release(
    @Param() p: Params,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.command('release', p, body, request, reply);
  }

  @Post('reviews/:id(^[^:]+)::reassign')
  reassign(
    @Param() p: Params,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.command('reassign', p, body, request, reply);
  }

  @Post('reviews/:id(^[^:]+)::comment')
  comment(
    @Param() p: Params,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.command('comment', p, body, request, reply);
  }

  @Post('reviews/:id(^[^:]+)::vote')
  vote(
    @Param() p: Params,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.command('vote', p, body, request, reply);
  }

  @Post('reviews/:id(^[^:]+)::decide')
  decide(
    @Param() p: Params,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.command('decide', p, body, request, reply);
  }

  @Post('reviews/:id(^[^:]+)::escalate')
  escalate(
    @Param() p: Params,
    @Body() body: RawBody | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return this.command('escalate', p, body, request, reply);
  }

  private command(
    verb: ReviewVerb,
    params: Params,
    body: RawBody | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> {
    return write(reply, this.gateway.reviewCommand(params, verb, body, request.raw));
  }
}
