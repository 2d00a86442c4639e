import type { CallbackView } from '@cairn/contracts';
import { knownCallback, noCallback, openCallback, type CallbackParts } from './find-callback.js';

/**
 * `GET /v1/callbacks/{token}`: what the link is for. Decides nothing, however often programs follow it: previews of chats, scanners of mail.
 * Says of its run no more than whoever was given the link may know.
 */
export async function showCallback(parts: CallbackParts, token: string): Promise<CallbackView> {
  const callback = await knownCallback(parts, token);
  const { claim, used } = callback;
  const about = { callback: claim.name, step: claim.wait };
  if (used !== undefined) {
    if (used.outcome === 'late' || used.outcome === 'refused') return noCallback();
    return { ...about, state: 'used', says: 'This link has been used; it can be used once.' };
  }
  const { workflow, purpose, state, until, trigger } = await openCallback(parts, callback);
  return {
    ...about,
    workflow,
    ...(purpose === undefined ? {} : { purpose }),
    state,
    until,
    ...(trigger.validate(null).length === 0 ? {} : { data: 'needed' as const }),
    method: 'POST',
    says: 'Opening this link does nothing. A POST to the same address answers, once.',
  };
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => ESCAPES[char] ?? '');

/** The same for a person with a browser: a page with one button, which loads nothing and runs no script. */
export function callbackPage(view: CallbackView): string {
  const what = [view.purpose, view.workflow === undefined ? undefined : `For ${view.workflow}, step ${view.step}.`];
  const lines = what.filter((line) => line !== undefined).map((line) => `<p>${escaped(line)}</p>`);
  const button =
    view.state === 'used'
      ? '<p>This link has been used.</p>'
      : view.data === 'needed'
        ? '<p>The answer is sent by a program, as JSON, by POST to this address.</p>'
        : '<form method="post"><button>Confirm</button></form>';
  return page(view.callback, [
    ...lines,
    ...(view.until === undefined || view.until === null ? [] : [`<p>Until ${view.until}.</p>`]),
    button,
  ]);
}

/** After the button. */
export const receivedPage = (): string => page('Received', ['<p>Thank you. Nothing more is needed.</p>']);

const page = (title: string, lines: readonly string[]): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="robots" content="noindex"><title>${escaped(title)}</title><h1>${escaped(title)}</h1>${lines.join('')}</html>\n`;

/** Headers of such a page: it is nobody's frame, names nobody where it was, and is kept nowhere. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
} as const;
