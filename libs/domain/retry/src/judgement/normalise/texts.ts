/** Reasons that HTTP servers and clients write beside a status. A number alone in a sentence is no status. */
const REASON =
  'bad request|unauthorized|payment required|forbidden|not found|method not allowed|not acceptable|proxy authentication required|request timeout|conflict|gone|precondition failed|payload too large|request entity too large|content too large|unsupported media type|misdirected request|unprocessable|locked|too early|upgrade required|precondition required|too many requests|unavailable for legal reasons|internal server error|not implemented|bad gateway|service unavailable|service temporarily unavailable|gateway time-?out|insufficient storage|site is overloaded|overloaded';
const STATUS_IN_TEXT = [
  /\b(?:http(?:\/\d(?:\.\d)?)?|error code:?|status(?: code)?|status_code|statuscode|httpstatus)[ :='"]{1,3}([45]\d\d)\b/i,
  new RegExp(`\\b([45]\\d\\d)[ :-]{1,3}(?:${REASON})\\b`, 'i'),
  /^\s*([45]\d\d)[ :-]{1,3}\{/,
];

/** The HTTP status that a sentence names as one. */
export function statusIn(text: string): number | undefined {
  for (const pattern of STATUS_IN_TEXT) {
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return Number(found);
  }
  return undefined;
}

/** `429`, `http_429`, `HTTP 429`, `status-429`: three digits of an error, and nothing else. */
export function statusOfCode(code: string): number | undefined {
  const found = /^(?:err?(?:or)?[_ -]?)?(?:http|status)?(?:[_ -]?(?:status|code|error))?[_ -]?([45]\d\d)$/i.exec(code.trim())?.[1];
  return found === undefined ? undefined : Number(found);
}

const CODES_IN_TEXT = [
  /\b(E[A-Z]{3,20}|UND_ERR_[A-Z_]{3,40}|ERR_[A-Z_]{3,60})\b/g, // Node.
  /\b([A-Z][A-Z0-9]{2,30}_[A-Z0-9_]{2,60})\b/g, // RESOURCE_EXHAUSTED, SQLITE_BUSY.
  /\b([A-Z][A-Za-z]{2,60}(?:Error|Exception|Timeout|Disconnected|Exceeded))\b/g, // Names of exceptions.
  /['"](?:type|code|status|reason|error)['"]: ?['"]([A-Za-z0-9_.-]{3,80})['"]/g, // Bodies that are no JSON any more, or were Python.
  /\bStatusCode\.([A-Z_]{2,40})\b/g, // gRPC of Python.
  /^\d{1,2} ([A-Z_]{7,40}): /g, // gRPC of Node.
];
const CODES_OF_TEXT_MAX = 16;

/** What looks like a code or the name of an error in a sentence, in no particular order. */
export function codesIn(text: string): readonly string[] {
  return CODES_IN_TEXT.flatMap((pattern) => Array.from(text.matchAll(pattern), (match) => match[1] ?? '')).slice(0, CODES_OF_TEXT_MAX);
}
