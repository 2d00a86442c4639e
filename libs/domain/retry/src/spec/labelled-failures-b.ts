import type { LabelledFailure } from './labelled-failure.js';

/**
 * The held-out half: written and labelled before the normaliser, from what these services and libraries send, and never tuned on.
 * What is wrong in it is counted, not corrected.
 */
export const labelledFailuresB: readonly LabelledFailure[] = [
  // Limits of rate.
  {
    says: 'GitHub, primary limit: 403 with nothing remaining',
    failure: {
      code: 'HttpError',
      message: 'API rate limit exceeded for installation ID 4711.',
      details: {
        status: 403,
        headers: { 'X-RateLimit-Limit': '5000', 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '1795507500' },
        body: {
          message: 'API rate limit exceeded for installation ID 4711.',
          documentation_url: 'https://docs.github.com/rest/rate-limit',
        },
      },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:05:00.000Z',
  },
  {
    says: 'GitHub, secondary limit with Retry-After',
    failure: {
      message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
      details: { status: 403, headers: { 'retry-after': '60' } },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:01:00.000Z',
  },
  {
    says: 'Slack, ratelimited in the body',
    failure: {
      code: 'slack_webapi_rate_limited_error',
      message: 'A rate-limit has been reached, you may retry this request in 30 seconds',
      details: { statusCode: 429, headers: { 'Retry-After': '30' }, body: { ok: false, error: 'ratelimited' } },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:30.000Z',
  },
  {
    says: 'Shopify, bucket full',
    failure: {
      code: 'HTTP 429',
      message: 'Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.',
    },
    bucket: 'rate_limited',
  },
  {
    says: 'Cohere trial key, per minute',
    failure: {
      message: 'TooManyRequestsError',
      details: {
        status_code: 429,
        body: '{"message":"You are using a Trial key, which is limited to 40 API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key"}',
      },
    },
    bucket: 'rate_limited',
  },
  {
    says: 'Groq, tokens per minute, time in the text',
    failure: {
      code: 'rate_limit_exceeded',
      message:
        'Error code: 429 - Rate limit reached for model `llama-3.3-70b-versatile` on tokens per minute (TPM): Limit 12000, Used 11200, Requested 1900. Please try again in 5.5s.',
      details: {
        status: 429,
        body: { error: { message: 'Rate limit reached … Please try again in 5.5s.', type: 'tokens', code: 'rate_limit_exceeded' } },
      },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:05.500Z',
  },
  {
    says: 'DynamoDB throttling',
    failure: {
      code: 'ProvisionedThroughputExceededException',
      message: 'The level of configured provisioned throughput for the table was exceeded.',
      details: { $metadata: { httpStatusCode: 400, attempts: 1 } },
    },
    bucket: 'rate_limited',
  },
  {
    says: 'S3 asks to slow down',
    failure: { code: 'SlowDown', message: 'Please reduce your request rate.', details: { $metadata: { httpStatusCode: 503 } } },
    bucket: 'rate_limited',
  },
  {
    says: 'Retry-After as a date',
    failure: { code: '429', message: 'Too Many Requests', details: { headers: { 'Retry-After': 'Tue, 24 Nov 2026 08:02:00 GMT' } } },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:02:00.000Z',
  },
  {
    says: 'Vertex, shared capacity used up',
    failure: {
      message:
        '429 Too Many Requests. {"error":{"code":429,"message":"Resource exhausted. Please try again later. Please refer to https://cloud.google.com/vertex-ai/generative-ai/docs/error-code-429 for more details.","status":"RESOURCE_EXHAUSTED"}}',
    },
    bucket: 'rate_limited',
  },
  // Quotas and money.
  {
    says: 'OpenAI through an SDK, out of quota',
    failure: {
      code: 'insufficient_quota',
      message: '429 You exceeded your current quota, please check your plan and billing details.',
      details: { status: 429, headers: { 'x-should-retry': 'false' }, type: 'insufficient_quota' },
    },
    bucket: 'quota_exhausted',
  },
  {
    says: 'Gemini free tier, requests per day',
    failure: {
      message: 'You exceeded your current quota, please check your plan and billing details.',
      details: {
        status: 429,
        body: {
          error: {
            code: 429,
            status: 'RESOURCE_EXHAUSTED',
            message: 'You exceeded your current quota, please check your plan and billing details.',
            details: [
              {
                '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
                violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier', quotaValue: '50' }],
              },
              { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '41s' },
            ],
          },
        },
      },
    },
    bucket: 'quota_exhausted',
  },
  {
    says: 'Bedrock, tokens per day',
    failure: {
      code: 'ThrottlingException',
      message: 'Too many tokens per day, please wait before trying again.',
      details: { $metadata: { httpStatusCode: 429 } },
    },
    bucket: 'quota_exhausted',
  },
  {
    says: 'DeepSeek, no balance',
    failure: {
      code: 'HTTP_402',
      message: 'Insufficient Balance',
      details: { body: { error: { message: 'Insufficient Balance', type: 'unknown_error', code: 'invalid_request_error' } } },
    },
    bucket: 'billing',
  },
  {
    says: 'OpenRouter, credits',
    failure: {
      message: 'This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens, but can only afford 1200.',
      details: { status: 402, body: { error: { code: 402, message: 'This request requires more credits, or fewer max_tokens.' } } },
    },
    bucket: 'billing',
  },
  {
    says: 'Anthropic, credit balance, sent as 400',
    failure: {
      code: 'BadRequestError',
      message:
        "Error code: 400 - {'type': 'error', 'error': {'type': 'invalid_request_error', 'message': 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.'}}",
    },
    bucket: 'billing',
  },
  // Who may.
  {
    says: 'xAI, wrong key as 400',
    failure: {
      message: 'Incorrect API key provided: xa***23. You can obtain an API key from https://console.x.ai.',
      details: { status: 400, body: { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: xa***23.' } },
    },
    bucket: 'auth',
  },
  {
    says: 'expired OAuth token',
    failure: {
      code: '401',
      message: 'Unauthorized',
      details: { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token", error_description="The access token expired"' } },
    },
    bucket: 'auth',
  },
  {
    says: 'AWS, expired session',
    failure: { code: 'ExpiredTokenException', message: 'The security token included in the request is expired' },
    bucket: 'auth',
  },
  {
    says: 'OAuth refresh token revoked',
    failure: {
      code: 'invalid_grant',
      message: 'Token has been expired or revoked.',
      details: { status: 400, body: { error: 'invalid_grant' } },
    },
    bucket: 'auth',
  },
  {
    says: 'S3 denies',
    failure: { code: 'AccessDenied', message: 'Access Denied', details: { $metadata: { httpStatusCode: 403 } } },
    bucket: 'permission',
  },
  {
    says: 'Postgres, no privilege',
    failure: { code: '42501', message: 'permission denied for table payments', details: { severity: 'ERROR', routine: 'aclcheck_error' } },
    bucket: 'permission',
  },
  {
    says: 'Google Drive, insufficient scopes',
    failure: {
      code: '403',
      message: 'Request had insufficient authentication scopes.',
      details: { body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'Request had insufficient authentication scopes.' } } },
    },
    bucket: 'permission',
  },
  // What is asked for.
  {
    says: 'Ollama, model not pulled',
    failure: { message: 'model "llama3.2" not found, try pulling it first', details: { status_code: 404 } },
    bucket: 'not_found',
  },
  { says: 'gone', failure: { code: 'http_410', message: 'Gone' }, bucket: 'not_found' },
  {
    says: 'a file that is not there',
    failure: { code: 'ENOENT', message: "ENOENT: no such file or directory, open 'invoices/2026-11.pdf'" },
    bucket: 'not_found',
  },
  {
    says: 'FastAPI, unprocessable',
    failure: {
      message: 'Request failed with status code 422',
      details: {
        response: { status: 422, data: { detail: [{ type: 'missing', loc: ['body', 'vendorId'], msg: 'Field required', input: {} }] } },
      },
    },
    bucket: 'invalid_input',
  },
  {
    says: 'Stripe, a parameter is missing',
    failure: {
      code: 'parameter_missing',
      message: 'Missing required param: amount.',
      details: { statusCode: 400, type: 'StripeInvalidRequestError' },
    },
    bucket: 'invalid_input',
  },
  { says: 'unsupported media type', failure: { code: '415', message: 'Unsupported Media Type' }, bucket: 'invalid_input' },
  {
    says: 'Postgres, duplicate key',
    failure: { code: '23505', message: 'duplicate key value violates unique constraint "invoices_pkey"' },
    bucket: 'invalid_input',
  },
  {
    says: 'gRPC, invalid argument',
    failure: { code: '3', message: '3 INVALID_ARGUMENT: page_size must be positive', details: { grpcStatus: 'INVALID_ARGUMENT' } },
    bucket: 'invalid_input',
  },
  // The context window.
  {
    says: 'vLLM, too long',
    failure: {
      message:
        "This model's maximum context length is 32768 tokens. However, you requested 41200 tokens (37104 in the messages, 4096 in the completion). Please reduce the length of the messages or completion.",
      details: { status: 400, body: { object: 'error', type: 'BadRequestError', code: 400 } },
    },
    bucket: 'context_length',
  },
  {
    says: 'Bedrock, too long',
    failure: { code: 'ValidationException', message: 'Input is too long for requested model.' },
    bucket: 'context_length',
  },
  {
    says: 'OpenAI, one request larger than the minute',
    failure: {
      code: 'rate_limit_exceeded',
      message:
        'Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 52144. The input or output tokens must be reduced in order to run successfully.',
      details: { status: 429 },
    },
    bucket: 'context_length',
  },
  {
    says: 'Cohere, too many tokens',
    failure: { code: '400', message: 'too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5213.' },
    bucket: 'context_length',
  },
  // Refusals.
  {
    says: 'Gemini blocks the prompt',
    failure: {
      message: 'Response was blocked due to PROHIBITED_CONTENT',
      details: { body: { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } } },
    },
    bucket: 'content_refused',
  },
  {
    says: 'OpenAI, invalid prompt',
    failure: {
      code: 'invalid_prompt',
      message:
        'Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.',
      details: { status: 400 },
    },
    bucket: 'content_refused',
  },
  {
    says: 'an image model’s safety system',
    failure: {
      code: 'moderation_blocked',
      message: 'Your request was rejected as a result of our safety system.',
      details: { status: 400, type: 'image_generation_user_error' },
    },
    bucket: 'content_refused',
  },
  // What the model said.
  {
    says: 'AI SDK, no object',
    failure: { code: 'AI_NoObjectGeneratedError', message: 'No object generated: response did not match schema.' },
    bucket: 'model_output_invalid',
  },
  {
    says: 'pydantic-ai gives up on the output',
    failure: { code: 'UnexpectedModelBehavior', message: 'Exceeded maximum retries (1) for output validation' },
    bucket: 'model_output_invalid',
  },
  {
    says: 'a tool that does not exist',
    failure: { code: 'NoSuchToolError', message: "Model tried to call unavailable tool 'searhc'. Available tools: search, fetch." },
    bucket: 'model_output_invalid',
  },
  // Others' trouble.
  {
    says: 'Anthropic, overloaded, through an SDK',
    failure: {
      code: 'InternalServerError',
      message: "Error code: 529 - {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}",
    },
    bucket: 'upstream_5xx',
  },
  {
    says: 'nginx, bad gateway',
    failure: {
      message: 'Request failed with status code 502',
      details: { response: { status: 502, data: '<html><head><title>502 Bad Gateway</title></head></html>' } },
    },
    bucket: 'upstream_5xx',
  },
  {
    says: 'maintenance with a time',
    failure: { code: '503', message: 'Service Unavailable', details: { headers: { 'retry-after': '120' } } },
    bucket: 'upstream_5xx',
    retryAfter: '2026-11-24T08:02:00.000Z',
  },
  { says: 'Cloudflare, web server is down', failure: { code: '521', message: 'error code: 521' }, bucket: 'upstream_5xx' },
  {
    says: 'gRPC, unavailable',
    failure: { code: '14', message: '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED 10.0.3.7:443' },
    bucket: 'upstream_5xx',
  },
  {
    says: 'Postgres restarts',
    failure: { code: '57P01', message: 'terminating connection due to administrator command' },
    bucket: 'upstream_5xx',
  },
  // Time.
  {
    says: 'axios, own time-out',
    failure: { code: 'ECONNABORTED', message: 'timeout of 30000ms exceeded' },
    bucket: 'timeout',
  },
  {
    says: 'httpx, read time-out',
    failure: { code: 'httpx.ReadTimeout', message: 'The read operation timed out' },
    bucket: 'timeout',
  },
  {
    says: 'Go context',
    failure: {
      message: 'Post "https://api.example.test/v1/check": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    },
    bucket: 'timeout',
  },
  {
    says: 'gRPC, deadline',
    failure: { code: 'DEADLINE_EXCEEDED', message: '4 DEADLINE_EXCEEDED: Deadline exceeded after 59.99s' },
    bucket: 'timeout',
  },
  {
    says: 'Postgres, statement time-out',
    failure: { code: '57014', message: 'canceling statement due to statement timeout' },
    bucket: 'timeout',
  },
  // The way there.
  {
    says: 'fetch with a cause',
    failure: { code: 'TypeError', message: 'fetch failed', details: { cause: { code: 'ECONNRESET', errno: -104, syscall: 'read' } } },
    bucket: 'network',
  },
  {
    says: 'requests, connection aborted',
    failure: {
      code: 'requests.exceptions.ConnectionError',
      message: "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
    },
    bucket: 'network',
  },
  {
    says: 'Go, no such host',
    failure: { message: 'dial tcp: lookup api.internal.test on 10.0.0.2:53: no such host' },
    bucket: 'network',
  },
  { says: 'no route', failure: { code: 'EHOSTUNREACH', message: 'connect EHOSTUNREACH 10.1.2.3:5432' }, bucket: 'network' },
  {
    says: 'a certificate that has run out',
    failure: { code: 'CERT_HAS_EXPIRED', message: 'certificate has expired' },
    bucket: 'auth',
  },
  // Two at once.
  {
    says: 'Mongo, write conflict',
    failure: {
      code: '112',
      message:
        'WriteConflict error: this operation conflicted with another operation. Please retry your operation or multi-document transaction.',
      details: { codeName: 'WriteConflict' },
    },
    bucket: 'conflict',
  },
  {
    says: 'MySQL, deadlock',
    failure: {
      code: 'ER_LOCK_DEADLOCK',
      message: 'Deadlock found when trying to get lock; try restarting transaction',
      details: { errno: 1213 },
    },
    bucket: 'conflict',
  },
  {
    says: 'CockroachDB, serialisation',
    failure: { code: '40001', message: 'restart transaction: TransactionRetryWithProtoRefreshError: WriteTooOldError' },
    bucket: 'conflict',
  },
  { says: 'SQLite, busy', failure: { code: 'SQLITE_BUSY', message: 'database is locked' }, bucket: 'conflict' },
  // What nobody can know.
  {
    says: 'a bug of the handler',
    failure: { code: 'TypeError', message: "Cannot read properties of undefined (reading 'total')" },
    bucket: 'unclassified',
  },
  { says: 'a sentence', failure: { message: 'could not decide whether the vendor is the same' }, bucket: 'unclassified' },
  { says: 'a Python bug', failure: { code: 'KeyError', message: "'amount'" }, bucket: 'unclassified' },
  {
    says: 'numbers that look like a status',
    failure: { message: 'expected 429 rows, got 503' },
    bucket: 'unclassified',
  },
  { says: 'a disk that is full', failure: { code: 'ENOSPC', message: 'ENOSPC: no space left on device, write' }, bucket: 'unclassified' },
];
