import type { FailureOptions } from '@cairn/sdk';

export type Answer = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly failure: FailureOptions };

/**
 * Posts JSON. An answer that is no success becomes a failure that repeats what was said: status, headers and body, for the retry policy
 * to judge. Throws what `fetch` throws if there is no answer.
 */
export async function ask(
  url: string,
  body: unknown,
  more: { readonly signal: AbortSignal; readonly idempotencyKey?: string },
): Promise<Answer> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(more.idempotencyKey === undefined ? {} : { 'idempotency-key': more.idempotencyKey }),
    },
    body: JSON.stringify(body),
    signal: more.signal,
  });
  const text = await answer.text();
  if (answer.ok) return { ok: true, body: JSON.parse(text) as unknown };
  const message = `${new URL(url).pathname} answered ${answer.status}`;
  return {
    ok: false,
    failure: { code: answer.status, message, details: { status: answer.status, headers: Object.fromEntries(answer.headers), body: text } },
  };
}
