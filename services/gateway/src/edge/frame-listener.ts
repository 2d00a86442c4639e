import type { IncomingMessage, ServerResponse } from 'node:http';
import { FRAME_BYTES_MAX, problemOf, type WorkDesk } from '@cairn/contracts';
import { isFault } from '@cairn/ports';
import { checkFrame } from './check-frame.js';
import type { Gate } from './gate.js';
import { parseFrame } from './json-body.js';
import { namespaceParam } from './params.js';
import { readBody } from './read-body.js';
import { refuse, Refused } from './refused.js';
import { writeProblem } from './write-problem.js';

export interface FrameListenerParts {
  readonly gate: Gate;
  readonly namespaces: ReadonlySet<string>;
  readonly desk: WorkDesk;
  readonly onBug: (error: unknown) => void;
}

const PREFIX = '/v1/';
const SUFFIX = '/work:exchange';
const JSON_TYPE = 'application/json';

/**
 * Answers `POST /v1/{ns}/work:exchange` and nothing else, straight on node's server: every step of every run passes here, and a
 * router, hooks, a schema and a log line would cost more than the step (`facts.md` §2.7). Says whether the request was one.
 */
export function createFrameListener(parts: FrameListenerParts): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const { url } = request;
    if (request.method !== 'POST' || url?.startsWith(PREFIX) !== true || !url.endsWith(SUFFIX)) return false;
    answer(parts, request, response, url.slice(PREFIX.length, -SUFFIX.length)).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return; // Nobody is left to be told.
      writeProblem(response, problemOfFrame(error, parts.onBug));
    });
    return true;
  };
}

async function answer(parts: FrameListenerParts, request: IncomingMessage, response: ServerResponse, ns: string): Promise<void> {
  parts.gate(request);
  namespaceParam(ns, parts.namespaces);
  if (request.headers['content-type']?.startsWith(JSON_TYPE) !== true) refuse('media_type_unsupported', `The body must be ${JSON_TYPE}.`);
  const bytes = await readBody(request, FRAME_BYTES_MAX);
  const checked = checkFrame(parseFrame(bytes), bytes.length);
  if (checked.kind === 'bad') refuse('invalid_body', 'The frame is not one of a worker session.', { errors: checked.errors });
  const text = JSON.stringify(await parts.desk.exchange(ns, checked.frame));
  response.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(text, 'utf8') });
  response.end(text);
}

function problemOfFrame(error: unknown, onBug: (error: unknown) => void): Refused {
  if (error instanceof Refused) return error;
  if (isFault(error)) return new Refused(problemOf('service_unavailable', 'The store or the bus does not answer; send the frame again.'));
  onBug(error);
  return new Refused(problemOf('internal_error', 'Something is wrong in this server; the frame can be sent again.'));
}
