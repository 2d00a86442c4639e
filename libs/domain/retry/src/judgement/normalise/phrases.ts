import type { Bucket } from '@cairn/domain-definition';

type Phrases = readonly (readonly [Bucket, RegExp])[];

/** Sentences of services that say that another try without a change is in vain: they count before codes and status. Text is lower case. */
const HOPELESS: Phrases = [
  [
    'billing',
    /credit balance is too low|insufficient (?:balance|credits?|funds)|(?:requires?|purchase|need) (?:more )?credits|billing (?:hard limit|is not active|is disabled|has not been enabled|account .{0,40}(?:disabled|closed))|account is not active, please check your billing|payment (?:is )?required/,
  ],
  [
    'quota_exhausted',
    /(?:specified|monthly|daily) (?:api )?(?:usage|spend(?:ing)?) limits?|usage limit (?:has been )?(?:reached|exceeded)|out of (?:api )?quota|tokens per day, please wait/,
  ],
  [
    'context_length',
    /maximum context length|context[ _]length|context window|exceed(?:s|ed)? (?:the )?context limit|(?:prompt|input) is too long|too many (?:input )?tokens(?!,? (?:please wait|per))|input token count .{0,40}exceeds|exceeds? (?:the )?(?:maximum|max)(?: allowed)?(?: number of)?(?: input| prompt)? tokens|request too large for|too large for model|tokens must be reduced|reduce (?:the length of|your) (?:the )?(?:prompt|messages|input)/,
  ],
  [
    'content_refused',
    /content[ _](?:filter|management policy|filtering policy|policy)|safety system|potentially violating our usage policy|(?:blocked|flagged|rejected|refused) (?:due to|because of|by|for|as a result of) .{0,40}(?:safety|content|prohibited|policy|polic(?:y|ies))|response was blocked|prompt was (?:blocked|flagged)/,
  ],
  [
    'auth',
    /(?:invalid|incorrect|expired|revoked|malformed) (?:api[ -]?key|x-api-key|credentials?|access token|bearer token)|api key (?:not valid|not found|expired|is invalid|has been revoked)|(?:token|session|key|credentials)(?: included in the request)? (?:has|have|is|are) (?:been )?(?:expired|revoked)|(?:password )?authentication failed|could not (?:authenticate|validate credentials)|unable to locate credentials|access token expired|certificate verify failed|certificate has expired|self[- ]signed certificate|unable to verify the first certificate|certificate is not trusted/,
  ],
];

/** The same, said in words that many things share: a code of the service knows better. */
const DENIED: Phrases = [
  [
    'permission',
    /permission denied|access denied|access is denied|not authorized to|insufficient (?:authentication )?scopes?|(?:do|does) not have (?:permission|access)|not permitted to/,
  ],
  [
    'not_found',
    /\b(?:model|deployment|bucket|table|file)\b.{0,80}(?:not found|does not exist|no longer exists)|no such (?:model|bucket|key|file)/,
  ],
  ['invalid_input', /already exists|duplicate (?:key|entry)|unique constraint/],
];

/** Sentences of a limit of rate: they overrule a status that is used for other things too. */
const RATE =
  /(?:api |secondary |request |token )?rate[ -]?limit(?:s|ed)? (?:has been |have been |was |is )?(?:exceeded|reached|hit)|(?:exceeded|hit|reached) (?:the |your |a |an |our |its )?(?:\w+ ){0,3}rate[ -]?limit|too many (?:requests|tokens, please wait)|request was throttled|reduce your request rate|ratelimited/;

/** Sentences that say what happened where no code and no status does. The more exact go first. */
const PASSING: Phrases = [
  [
    'conflict',
    /deadlock (?:found|detected|victim)|was deadlocked|could not serialize access|serialization failure|write ?conflict|database (?:table )?is locked|lock wait timeout|could not obtain lock/,
  ],
  [
    'model_output_invalid',
    /no object generated|(?:response|output) did not match (?:the )?schema|tried to call (?:an )?(?:unavailable|unknown) tool|(?:retries|failed) .{0,20}for output validation|could not parse (?:the )?(?:llm|model|completion) ?(?:output|response)?/,
  ],
  ['rate_limited', RATE],
  [
    'upstream_5xx',
    /service (?:is )?(?:temporarily |currently )?unavailable|bad gateway|internal server error|(?:model|engine|server|service) is (?:currently |temporarily )?(?:overloaded|busy)|terminating connection due to administrator|upstream connect error|no healthy upstream/,
  ],
  [
    'timeout',
    /\btimed[ -]?out\b|\btimeout (?:of|exceeded|after|expired)|(?:read|connect|connection|request|gateway|statement) time-?out|deadline exceeded/,
  ],
  [
    'network',
    /socket hang up|connection (?:was |has been )?(?:reset|refused|aborted|closed|lost)|network (?:error|is unreachable)|fetch failed|getaddrinfo|no such host|name or service not known|nodename nor servname|temporary failure in name resolution|failed to resolve|broken pipe|remote end closed|premature close|other side closed|server disconnected|disconnected before secure tls|unexpected eof|no route to host/,
  ],
];

const firstOf = (phrases: Phrases, text: string): Bucket | undefined => phrases.find(([, pattern]) => pattern.test(text))?.[0];

export const hopelessBucket = (text: string): Bucket | undefined => firstOf(HOPELESS, text);
export const deniedBucket = (text: string): Bucket | undefined => firstOf(DENIED, text);
export const passingBucket = (text: string): Bucket | undefined => firstOf(PASSING, text);
export const saysRateLimited = (text: string): boolean => RATE.test(text);

/** A quota that a plan sets, said in the words of a rate limit. */
export const saysPlanQuota = (text: string): boolean =>
  /exceeded your current quota|check your plan and billing|quota exceeded|exceeded (?:your|the) quota/.test(text);
/** A window of at most an hour, or a time to come back at: no quota of a plan. */
export const saysShortWindow = (text: string): boolean =>
  /per ?[-_]?(?:second|minute|hour)|\b[rt]p[ms]\b|(?:please )?(?:try|retry) again in/.test(text);
/** A window of a day or more. */
export const saysLongWindow = (text: string): boolean => /per ?[-_]?(?:day|week|month)|daily|monthly/.test(text);
