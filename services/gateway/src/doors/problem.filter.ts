import { Catch, HttpException, HttpStatus, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { PROBLEM_MEDIA_TYPE, problemOf } from '@cairn/contracts';
import { isFault } from '@cairn/ports';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway } from '../assemble.js';
import { pathOf } from '../edge/gate.js';
import { Refused, refusalOfFault } from '../edge/refused.js';
import { isRouteWithoutParameter, methodsOf } from '../edge/routes.js';

/** Turns whatever ends a request into a problem document. For HTTP doors alone: on a bus door it would acknowledge a failed message. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly gateway: Pick<Gateway, 'onBug'>) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent || reply.raw.headersSent) return;
    const { problem, headers } = this.refusalOf(error, http.getRequest<FastifyRequest>());
    // As bytes: Fastify would add a character set to a text, and has JSON for objects only under a media type of its own.
    void reply
      .status(problem.status)
      .headers(headers)
      .header('content-type', PROBLEM_MEDIA_TYPE)
      .send(Buffer.from(JSON.stringify(problem), 'utf8'));
  }

  private refusalOf(error: unknown, request: FastifyRequest): Refused {
    if (error instanceof Refused) return error;
    if (isFault(error)) return refusalOfFault(error);
    if (error instanceof HttpException) {
      if (error.getStatus() === HttpStatus.NOT_FOUND.valueOf()) return noRoute(pathOf(request.raw));
      if (error.getStatus() < HttpStatus.INTERNAL_SERVER_ERROR.valueOf())
        return new Refused(problemOf('invalid_id', 'The path is not a valid one.'));
    }
    if (!request.raw.complete && request.raw.destroyed) return new Refused(problemOf('invalid_body', 'The body did not arrive whole.'));
    this.gateway.onBug(error);
    return new Refused(problemOf('internal_error', 'Something is wrong in this server.'));
  }
}

function noRoute(path: string): Refused {
  if (isRouteWithoutParameter(path)) return new Refused(problemOf('invalid_id', 'A part of the path is empty.'));
  const methods = methodsOf(path);
  if (methods.length === 0) return new Refused(problemOf('route_not_found', 'There is no such route.'));
  return new Refused(problemOf('method_not_allowed', `This route answers ${methods.join(', ')}.`), { allow: methods.join(', ') });
}
