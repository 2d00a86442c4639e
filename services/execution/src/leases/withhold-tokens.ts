import { callbackReference } from '@cairn/domain-definition';
import type { CloudEvent, ReplyData } from '@cairn/contracts';
import type { Json } from '@cairn/kernel';
import type { CallbackTokens } from '@cairn/ports';

/** What may be a token, in whatever text: whether it is one, its signature says. */
const TOKEN = /v1\.[a-z0-9]{1,16}\.[A-Za-z0-9_-]{1,1024}\.[A-Za-z0-9_-]{43}/g;
const BEGINNING = 'v1.';

/**
 * The reply as it may stand in the history: a handler that returns the link it was given, or fails with it in a message, gives its reference
 * (`reliability.md` §6.3). What is not ours stays as it is, and what holds no token stays the same object.
 */
export function withholdTokens(reply: CloudEvent<ReplyData>, tokens: CallbackTokens): CloudEvent<ReplyData> {
  const { data } = reply;
  if (data === undefined) return reply;
  const { output, failure } = data;
  const safeOutput = output === undefined ? undefined : withheld(output, tokens);
  const safeFailure = failure === undefined ? undefined : (withheld(failure as unknown as Json, tokens) as unknown as typeof failure);
  if (safeOutput === output && safeFailure === failure) return reply;
  return {
    ...reply,
    data: {
      ...data,
      ...(safeOutput === undefined ? {} : { output: safeOutput }),
      ...(safeFailure === undefined ? {} : { failure: safeFailure }),
    },
  };
}

function withheld(value: Json, tokens: CallbackTokens): Json {
  if (typeof value === 'string') return value.includes(BEGINNING) ? referenced(value, tokens) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => withheld(item, tokens));
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  const entries = Object.entries(value as { readonly [name: string]: Json });
  const safe = entries.map(([name, item]) => [name, withheld(item, tokens)] as const);
  return safe.some(([, item], i) => item !== entries[i]?.[1]) ? Object.fromEntries(safe) : value;
}

const referenced = (text: string, tokens: CallbackTokens): string =>
  text.replaceAll(TOKEN, (found) => {
    const claim = tokens.read(found);
    return claim === undefined ? found : callbackReference(claim.wait, claim.name);
  });
