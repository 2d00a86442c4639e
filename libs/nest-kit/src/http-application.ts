import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ExceptionFilter, InjectionToken, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestLog, type Log } from './logger.js';

/** What stands before Nest in an HTTP process: plain code that the root module provides under some token. */
export interface HttpEdge {
  /** Answers the request itself and says so, or leaves it to the doors. */
  intercept(request: IncomingMessage, response: ServerResponse): boolean;
  /** Throws what the filter shows if the request must not come in; no byte of its body has been read then. */
  admit(request: IncomingMessage): void;
  /** The whole body, still unparsed, for `@Body()`. */
  readBody(request: IncomingMessage): Promise<unknown>;
}

/** Longer path parameters do not reach a door. Above what node lets a request line be, so that a check of ours answers. */
const PARAM_CHARS_MAX = 16_384;
/** A client that sends slower than this is cut off (B-44); holding an answer open is not concerned. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Above every exchange of a client with a fast poll, so that a pooled connection is not closed under it. */
const KEEP_ALIVE_MS = 65_000;

export interface HttpApplicationOptions {
  readonly log: Log;
  readonly edge: InjectionToken;
  /** The only exception filter: HTTP doors alone have one (`house.md` §3). */
  readonly filter: (edge: HttpEdge) => ExceptionFilter;
}

/**
 * A Nest application on Fastify behind an edge of ours: the edge sees a request first, Fastify parses no body. Not listening yet.
 * Closing it closes open connections too (`facts.md` §4.2: one SSE client would hold the process).
 */
export async function createHttpApplication(
  module: Type | { module: Type },
  options: HttpApplicationOptions,
): Promise<NestFastifyApplication> {
  const held: { edge?: HttpEdge } = {};
  const adapter = new FastifyAdapter({
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_CHARS_MAX },
    exposeHeadRoutes: false,
    serverFactory: (handler: (request: IncomingMessage, response: ServerResponse) => void) => {
      const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
        if (held.edge?.intercept(request, response) !== true) handler(request, response);
      });
      return server;
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLog(options.log),
    bodyParser: false,
    abortOnError: false,
  });
  const edge = app.get<HttpEdge>(options.edge, { strict: false });
  held.edge = edge;

  const fastify = adapter.getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request: unknown, payload: IncomingMessage) => edge.readBody(payload));
  fastify.addHook('onRequest', (request: { raw: IncomingMessage }, _reply: unknown, done: (error?: Error) => void) => {
    try {
      edge.admit(request.raw);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  });
  app.useGlobalFilters(options.filter(edge));
  return app;
}
