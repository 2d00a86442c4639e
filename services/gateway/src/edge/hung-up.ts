import type { ServerResponse } from 'node:http';

/**
 * Aborts when whoever asked goes away before the answer was written. (The request's own `close` says only that its body was read:
 * the answer's tells, and comes after every answer as well.)
 */
export function hungUp(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableEnded) controller.abort();
  });
  return controller.signal;
}
