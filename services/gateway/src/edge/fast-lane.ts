import type { IncomingMessage, ServerResponse } from 'node:http';
import { BODY_BYTES_MAX, checkFrame, FRAME_BYTES_MAX, problemOf, type WorkDesk } from '@cairn/contracts';
import { isFault } from '@cairn/ports';
import type { Answer } from '../answer.js';
import type { Gate } from './gate.js';
import { hungUp } from './hung-up.js';
import { parseFrame } from './json-body.js';
import { idempotencyKey, nameParam, namespaceParam } from './params.js';
import { readBody, type RawBody } from './read-body.js';
import { refusalOfFault, refuse, Refused } from './refused.js';
import { SessionConnections } from './session-connections.js';
import { writeJson, writeProblem } from './write-json.js';

export interface FastLaneParts {
  readonly gate: Gate;
  readonly namespaces: ReadonlySet<string>;
  readonly desk: WorkDesk;
  readonly startRun: (ns: string, workflow: string, eventId: string | undefined, body: RawBody, actor: string) => Promise<Answer>;
  readonly onBug: (error: unknown) => void;
}

const FRAME = /^\/v1\/([^/?]+)\/work:exchange(\?.*)?$/;
const START = /^\/v1\/([^/?]+)\/workflows\/([^/?]+)\/runs(\?.*)?$/;
const JSON_TYPE = 'application/json';

/**
 * Answers `POST /v1/{ns}/work:exchange` and `POST /v1/{ns}/workflows/{name}/runs` straight on node's server: every step and every run
 * of a busy system passes here, and a router, hooks and a framework would cost more than the step itself (`facts.md` §2.7).
 * Says whether the request was one of them.
 */
export function createFastLane(parts: FastLaneParts): (request: IncomingMessage, response: ServerResponse) => boolean {
  const connections = new SessionConnections((session) => parts.desk.lostConnection(session));
  return (request, response) => {
    if (request.method !== 'POST') return false;
    const url = request.url ?? '';
    const frame = FRAME.exec(url);
    const start = frame === null ? START.exec(url) : null;
    if (frame === null && start === null) return false;
    const answer =
      frame === null
        ? startOne(parts, request, decoded(start?.[1]), decoded(start?.[2]))
        : exchange(parts, connections, request, response, decoded(frame[1]));
    answer.then(
      ({ status, body }) => writeJson(response, status, body),
      (error: unknown) => {
        if (request.destroyed && !request.complete) return; // Nobody is left to be told.
        writeProblem(response, problemFor(error, parts.onBug));
      },
    );
    return true;
  };
}

async function exchange(
  { gate, namespaces, desk }: FastLaneParts,
  connections: SessionConnections,
  request: IncomingMessage,
  response: ServerResponse,
  ns: string,
): Promise<Answer> {
  admit(gate, request);
  namespaceParam(ns, namespaces);
  if (request.headers['content-type']?.startsWith(JSON_TYPE) !== true) refuse('media_type_unsupported', `The body must be ${JSON_TYPE}.`);
  const bytes = await readBody(request, FRAME_BYTES_MAX);
  const checked = checkFrame(parseFrame(bytes), bytes.length);
  if (checked.kind === 'bad') refuse('invalid_body', 'The frame is not one of a worker session.', { errors: checked.errors });
  connections.carried(request.socket, checked.frame.session);
  return { status: 200, body: await desk.exchange(ns, checked.frame, hungUp(response)) };
}

async function startOne(
  { gate, namespaces, startRun }: FastLaneParts,
  request: IncomingMessage,
  ns: string,
  workflow: string,
): Promise<Answer> {
  admit(gate, request);
  namespaceParam(ns, namespaces);
  nameParam(workflow);
  const eventId = idempotencyKey(request.headers['idempotency-key']);
  const bytes = await readBody(request, BODY_BYTES_MAX);
  return startRun(ns, workflow, eventId, { bytes, contentType: request.headers['content-type'] }, gate.principalOf(request).id);
}

function admit(gate: Gate, request: IncomingMessage): void {
  gate(request);
  if (request.url?.includes('?') === true) refuse('invalid_query', 'This route takes no query.');
}

/** A part of the path. What cannot be decoded is no name: the check that follows says so. */
function decoded(part = ''): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function problemFor(error: unknown, onBug: (error: unknown) => void): Refused {
  if (error instanceof Refused) return error;
  if (isFault(error)) return refusalOfFault(error);
  onBug(error);
  return new Refused(problemOf('internal_error', 'Something is wrong in this server.'));
}
