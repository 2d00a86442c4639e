import type { LabelledFailure } from './labelled-failure.js';

/** The half that the normaliser was written and tuned on. */
export const labelledFailuresA: readonly LabelledFailure[] = [
  // OpenAI.
  {
    says: 'OpenAI, tokens per minute',
    failure: {
      code: 'rate_limit_exceeded',
      message:
        '429 Rate limit reached for gpt-4o in organization org-abc on tokens per min (TPM): Limit 30000, Used 29500, Requested 1200. Please try again in 1.4s.',
      details: {
        status: 429,
        headers: {
          'x-ratelimit-limit-requests': '500',
          'x-ratelimit-remaining-requests': '499',
          'x-ratelimit-reset-requests': '120ms',
          'x-ratelimit-remaining-tokens': '0',
          'x-ratelimit-reset-tokens': '1.4s',
        },
        error: { type: 'tokens', code: 'rate_limit_exceeded', param: null },
      },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:01.400Z',
  },
  {
    says: 'OpenAI, requests per day, a rolling window with a time',
    failure: {
      code: '429',
      message:
        'Rate limit reached for gpt-4o-mini in organization org-abc on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.',
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:07:12.000Z',
  },
  {
    says: 'OpenAI, quota used up',
    failure: {
      code: 'RateLimitError',
      message:
        "Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your plan and billing details.', 'type': 'insufficient_quota', 'param': None, 'code': 'insufficient_quota'}}",
    },
    bucket: 'quota_exhausted',
  },
  {
    says: 'OpenAI, billing limit',
    failure: {
      message: 'Billing hard limit has been reached',
      details: { status: 400, body: { error: { code: 'billing_hard_limit_reached', type: 'invalid_request_error' } } },
    },
    bucket: 'billing',
  },
  {
    says: 'OpenAI, context length as JSON text',
    failure: {
      message: 'Request failed with status code 400',
      details: {
        response: {
          status: 400,
          data: '{"error":{"message":"This model\'s maximum context length is 128000 tokens. However, your messages resulted in 131072 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}',
        },
      },
    },
    bucket: 'context_length',
  },
  {
    says: 'OpenAI, wrong key',
    failure: {
      code: 'invalid_api_key',
      message: 'Incorrect API key provided: sk-abc***xyz.',
      details: { status: 401, type: 'invalid_request_error' },
    },
    bucket: 'auth',
  },
  {
    says: 'OpenAI, no such model',
    failure: {
      code: 'model_not_found',
      message: 'The model `gpt-9` does not exist or you do not have access to it.',
      details: { status: 404, type: 'invalid_request_error' },
    },
    bucket: 'not_found',
  },
  {
    says: 'OpenAI, content policy',
    failure: {
      code: 'content_policy_violation',
      message: 'Your request was rejected as a result of our safety system.',
      details: { status: 400 },
    },
    bucket: 'content_refused',
  },
  {
    says: 'OpenAI, server error',
    failure: {
      message: 'The server had an error while processing your request. Sorry about that!',
      details: { status: 500, error: { type: 'server_error', code: null } },
    },
    bucket: 'upstream_5xx',
  },
  {
    says: 'OpenAI, engine overloaded',
    failure: { code: '503', message: 'The engine is currently overloaded, please try again later' },
    bucket: 'upstream_5xx',
  },
  {
    says: 'OpenAI, wrong parameter',
    failure: {
      code: 'BadRequestError',
      message:
        "Error code: 400 - {'error': {'message': \"Invalid value: 'usr'. Supported values are: 'system', 'user'.\", 'type': 'invalid_request_error', 'code': 'invalid_value'}}",
    },
    bucket: 'invalid_input',
  },
  {
    says: 'OpenAI, country',
    failure: {
      code: 'unsupported_country_region_territory',
      message: 'Country, region, or territory not supported',
      details: { status: 403 },
    },
    bucket: 'permission',
  },
  // Anthropic.
  {
    says: 'Anthropic, rate limit with headers',
    failure: {
      code: 'rate_limit_error',
      message: "This request would exceed your organization's rate limit of 50 requests per minute.",
      details: {
        status: 429,
        headers: {
          'retry-after': '12',
          'anthropic-ratelimit-requests-remaining': '0',
          'anthropic-ratelimit-requests-reset': '2026-11-24T08:00:12Z',
          'anthropic-ratelimit-tokens-reset': '2026-11-24T08:00:40Z',
        },
        body: { type: 'error', error: { type: 'rate_limit_error', message: "This request would exceed your organization's rate limit" } },
      },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:12.000Z',
  },
  {
    says: 'Anthropic, reset header alone',
    failure: {
      code: '429',
      message: 'rate limited',
      details: {
        headers: [
          ['Anthropic-Ratelimit-Input-Tokens-Remaining', '0'],
          ['Anthropic-Ratelimit-Input-Tokens-Reset', '2026-11-24T08:00:33Z'],
          ['Anthropic-Ratelimit-Output-Tokens-Reset', '2026-11-24T08:00:59Z'],
        ],
      },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:33.000Z',
  },
  {
    says: 'Anthropic, overloaded',
    failure: {
      message: '529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_011"}',
      details: { status: 529 },
    },
    bucket: 'upstream_5xx',
  },
  {
    says: 'Anthropic, overloaded in the midst of a stream, without a status',
    failure: { message: '{"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"}}' },
    bucket: 'upstream_5xx',
  },
  {
    says: 'Anthropic, prompt too long',
    failure: {
      message:
        '400 {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}',
    },
    bucket: 'context_length',
  },
  {
    says: 'Anthropic, output limit over the window',
    failure: {
      message:
        'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again',
      details: { status: 400, error: { type: 'invalid_request_error' } },
    },
    bucket: 'context_length',
  },
  {
    says: 'Anthropic, wrong key',
    failure: {
      message: 'invalid x-api-key',
      details: { status: 401, error: { type: 'authentication_error', message: 'invalid x-api-key' } },
    },
    bucket: 'auth',
  },
  {
    says: 'Anthropic, blocked output',
    failure: { message: 'Output blocked by content filtering policy', details: { status: 400, error: { type: 'invalid_request_error' } } },
    bucket: 'content_refused',
  },
  {
    says: 'Anthropic, a refusal as stop reason',
    failure: { code: 'refusal', message: 'the model refused', details: { stop_reason: 'refusal' } },
    bucket: 'content_refused',
  },
  {
    says: 'Anthropic, spend limit of the workspace',
    failure: {
      message: 'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
      details: { status: 400, error: { type: 'invalid_request_error' } },
    },
    bucket: 'quota_exhausted',
    retryAfter: '2026-12-01T00:00:00.000Z',
  },
  {
    says: 'Anthropic, api_error',
    failure: { code: 'api_error', message: 'Internal server error', details: { status: 500 } },
    bucket: 'upstream_5xx',
  },
  // Google.
  {
    says: 'Gemini, per minute with a delay',
    failure: {
      message: 'You exceeded your current quota, please check your plan and billing details.',
      details: {
        status: 429,
        body: {
          error: {
            code: 429,
            message: 'You exceeded your current quota, please check your plan and billing details.',
            status: 'RESOURCE_EXHAUSTED',
            details: [
              {
                '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
                violations: [{ quotaId: 'GenerateContentInputTokensPerModelPerMinute-FreeTier' }],
              },
              { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '37s' },
            ],
          },
        },
      },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:37.000Z',
  },
  {
    says: 'Gemini, overloaded',
    failure: {
      message: '[503 Service Unavailable] The model is overloaded. Please try again later.',
      details: { error: { code: 503, status: 'UNAVAILABLE' } },
    },
    bucket: 'upstream_5xx',
  },
  {
    says: 'Gemini, key as 400',
    failure: {
      message: 'API key not valid. Please pass a valid API key.',
      details: {
        error: {
          code: 400,
          status: 'INVALID_ARGUMENT',
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }],
        },
      },
    },
    bucket: 'auth',
  },
  {
    says: 'Gemini, too many tokens',
    failure: {
      message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
      details: { error: { code: 400, status: 'INVALID_ARGUMENT' } },
    },
    bucket: 'context_length',
  },
  {
    says: 'Gemini, blocked for safety',
    failure: { message: 'no candidates', details: { body: { candidates: [{ finishReason: 'SAFETY', index: 0 }] } } },
    bucket: 'content_refused',
  },
  {
    says: 'Google, API not enabled',
    failure: {
      message: 'Cloud Vision API has not been used in project 1 before or it is disabled.',
      details: { error: { code: 403, status: 'PERMISSION_DENIED', details: [{ reason: 'SERVICE_DISABLED' }] } },
    },
    bucket: 'permission',
  },
  {
    says: 'Google, billing off',
    failure: {
      message: 'This API method requires billing to be enabled.',
      details: { error: { code: 403, status: 'PERMISSION_DENIED', details: [{ reason: 'BILLING_DISABLED' }] } },
    },
    bucket: 'billing',
  },
  {
    says: 'google-api-core, unavailable',
    failure: { code: 'google.api_core.exceptions.ServiceUnavailable', message: '503 Getting metadata from plugin failed' },
    bucket: 'upstream_5xx',
  },
  // Azure, Bedrock, Mistral.
  {
    says: 'Azure OpenAI, rate limit',
    failure: {
      code: '429',
      message:
        'Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-02-01 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 26 seconds.',
      details: { headers: { 'Retry-After-Ms': '26000' } },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:26.000Z',
  },
  {
    says: 'Azure OpenAI, content filter',
    failure: {
      code: 'content_filter',
      message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      details: { status: 400, innererror: { code: 'ResponsibleAIPolicyViolation' } },
    },
    bucket: 'content_refused',
  },
  {
    says: 'Azure OpenAI, no deployment',
    failure: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.', details: { status: 404 } },
    bucket: 'not_found',
  },
  {
    says: 'Bedrock, throttled',
    failure: {
      code: 'ThrottlingException',
      message: 'Too many tokens, please wait before trying again.',
      details: { $metadata: { httpStatusCode: 429 } },
    },
    bucket: 'rate_limited',
  },
  {
    says: 'Bedrock, no access to the model',
    failure: { code: 'AccessDeniedException', message: "You don't have access to the model with the specified model ID." },
    bucket: 'permission',
  },
  {
    says: 'Bedrock, model time-out',
    failure: {
      code: 'ModelTimeoutException',
      message: 'Model has timed out in processing the request.',
      details: { $metadata: { httpStatusCode: 408 } },
    },
    bucket: 'timeout',
  },
  {
    says: 'Bedrock, quota',
    failure: { code: 'ServiceQuotaExceededException', message: 'You have exceeded the service quota for your account.' },
    bucket: 'quota_exhausted',
  },
  {
    says: 'Bedrock, malformed input',
    failure: {
      code: 'ValidationException',
      message: 'Malformed input request: #: required key [messages] not found, please reformat your input and try again.',
    },
    bucket: 'invalid_input',
  },
  {
    says: 'Mistral, rate limit',
    failure: {
      message:
        'API error occurred: Status 429 Body: {"object":"error","message":"Requests rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}',
    },
    bucket: 'rate_limited',
  },
  {
    says: 'Mistral, too long',
    failure: {
      message: 'Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
      details: { status_code: 400, body: { object: 'error', type: 'invalid_request_error', code: '3051' } },
    },
    bucket: 'context_length',
  },
  {
    says: 'Mistral, unauthorised',
    failure: { message: 'Unauthorized', details: { status_code: 401, body: { message: 'Unauthorized', request_id: 'a1' } } },
    bucket: 'auth',
  },
  // HTTP.
  {
    says: 'Retry-After in seconds, any case',
    failure: { code: 'http_429', message: 'slow down', details: { headers: { 'RETRY-AFTER': '2' } } },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:02.000Z',
  },
  {
    says: 'the handler’s own time goes first',
    failure: { code: '429', message: 'slow down', retryAfter: '2026-11-24T14:05:00Z', details: { headers: { 'retry-after': '2' } } },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T14:05:00.000Z',
  },
  {
    says: 'x-ratelimit-reset in seconds from now',
    failure: {
      code: 'HTTP 429',
      message: 'Too Many Requests',
      details: { headers: { 'x-ratelimit-reset': '45', 'x-ratelimit-remaining': '0' } },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:45.000Z',
  },
  {
    says: 'Discord, retry_after in the body',
    failure: {
      message: 'You are being rate limited.',
      details: { status: 429, body: { message: 'You are being rate limited.', retry_after: 1.25, global: false } },
    },
    bucket: 'rate_limited',
    retryAfter: '2026-11-24T08:00:01.250Z',
  },
  { says: '401', failure: { code: '401', message: 'Unauthorized' }, bucket: 'auth' },
  { says: '402', failure: { code: '402', message: 'Payment Required' }, bucket: 'billing' },
  { says: '403', failure: { code: 'HTTP 403', message: 'Forbidden' }, bucket: 'permission' },
  {
    says: '404',
    failure: { message: "Client error '404 Not Found' for url 'https://api.example.test/vendors/7'", code: 'HTTPStatusError' },
    bucket: 'not_found',
  },
  { says: '408', failure: { code: '408', message: 'Request Timeout' }, bucket: 'timeout' },
  { says: '409', failure: { code: '409', message: 'Conflict' }, bucket: 'conflict' },
  {
    says: '409 about something that is there already',
    failure: {
      code: '409',
      message: 'Conflict',
      details: { body: { error: { code: 'ALREADY_EXISTS', message: 'invoice INV-7 already exists' } } },
    },
    bucket: 'invalid_input',
  },
  { says: '422', failure: { code: '422', message: 'Unprocessable Entity' }, bucket: 'invalid_input' },
  { says: '425', failure: { code: '425', message: 'Too Early' }, bucket: 'network' },
  { says: '500', failure: { message: 'HTTP 500' }, bucket: 'upstream_5xx' },
  { says: '501', failure: { code: '501', message: 'Not Implemented' }, bucket: 'invalid_input' },
  { says: '503', failure: { message: '503 Service Unavailable' }, bucket: 'upstream_5xx' },
  { says: '504', failure: { message: 'Gateway Timeout', details: { statusCode: 504 } }, bucket: 'upstream_5xx' },
  // The way there.
  { says: 'connection reset', failure: { code: 'ECONNRESET', message: 'read ECONNRESET' }, bucket: 'network' },
  { says: 'connection refused', failure: { message: 'connect ECONNREFUSED 127.0.0.1:4311' }, bucket: 'network' },
  { says: 'DNS', failure: { code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND api.example.test' }, bucket: 'network' },
  { says: 'DNS for now', failure: { code: 'EAI_AGAIN', message: 'getaddrinfo EAI_AGAIN api.example.test' }, bucket: 'network' },
  {
    says: 'undici, socket',
    failure: { message: 'fetch failed', details: { cause: { name: 'SocketError', code: 'UND_ERR_SOCKET', message: 'other side closed' } } },
    bucket: 'network',
  },
  { says: 'hang up', failure: { message: 'socket hang up' }, bucket: 'network' },
  {
    says: 'urllib3, refused',
    failure: {
      code: 'ConnectionError',
      message:
        "HTTPConnectionPool(host='10.0.0.7', port=80): Max retries exceeded with url: /check (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object>: Failed to establish a new connection: [Errno 111] Connection refused'))",
    },
    bucket: 'network',
  },
  { says: 'httpx, connect', failure: { code: 'httpx.ConnectError', message: '[Errno -2] Name or service not known' }, bucket: 'network' },
  {
    says: 'Python, certificate',
    failure: {
      code: 'requests.exceptions.SSLError',
      message:
        'HTTPSConnectionPool(host=…): Max retries exceeded (Caused by SSLError(SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate")))',
    },
    bucket: 'auth',
  },
  // Time.
  { says: 'ETIMEDOUT', failure: { code: 'ETIMEDOUT', message: 'connect ETIMEDOUT 10.0.0.7:443' }, bucket: 'timeout' },
  { says: 'undici, headers', failure: { code: 'UND_ERR_HEADERS_TIMEOUT', message: 'Headers Timeout Error' }, bucket: 'timeout' },
  {
    says: 'AbortSignal.timeout',
    failure: { code: 'TimeoutError', message: 'The operation was aborted due to timeout' },
    bucket: 'timeout',
  },
  { says: 'aborted', failure: { code: 'AbortError', message: 'This operation was aborted' }, bucket: 'timeout' },
  {
    says: 'requests, read time-out',
    failure: { code: 'requests.exceptions.ReadTimeout', message: 'Read timed out. (read timeout=10)' },
    bucket: 'timeout',
  },
  {
    says: 'gRPC of Python',
    failure: { message: '<_InactiveRpcError of RPC that terminated with: status = StatusCode.DEADLINE_EXCEEDED>' },
    bucket: 'timeout',
  },
  // Two at once.
  { says: 'Postgres, deadlock', failure: { code: '40P01', message: 'deadlock detected' }, bucket: 'conflict' },
  { says: 'Postgres, serialisation', failure: { message: 'could not serialize access due to concurrent update' }, bucket: 'conflict' },
  {
    says: 'Prisma, conflict',
    failure: { code: 'P2034', message: 'Transaction failed due to a write conflict or a deadlock. Please retry your transaction' },
    bucket: 'conflict',
  },
  {
    says: 'SQL Server, victim',
    failure: {
      code: 'EREQUEST',
      message:
        'Transaction (Process ID 52) was deadlocked on lock resources with another process and has been chosen as the deadlock victim.',
    },
    bucket: 'conflict',
  },
  // What the model said.
  {
    says: 'no object',
    failure: { code: 'NoObjectGeneratedError', message: 'No object generated: could not parse the response.' },
    bucket: 'model_output_invalid',
  },
  {
    says: 'LangChain parser',
    failure: { code: 'OUTPUT_PARSING_FAILURE', message: 'Failed to parse. Text: "sure, here is"' },
    bucket: 'model_output_invalid',
  },
  {
    says: 'agents SDK',
    failure: { code: 'ModelBehaviorError', message: 'Tool foo not found in agent bar' },
    bucket: 'model_output_invalid',
  },
  // Hints.
  { says: 'a hint alone', failure: { bucket: 'no_progress', message: 'same proposal again' }, bucket: 'no_progress' },
  { says: 'an own bucket', failure: { bucket: 'x-legal-hold', message: 'on hold', code: '503' }, bucket: 'x-legal-hold' },
  { says: 'a code that is a bucket', failure: { code: 'tool_error', message: 'the tool said no' }, bucket: 'tool_error' },
  {
    says: 'a hint that is too hopeful: quota',
    failure: {
      bucket: 'rate_limited',
      code: '429',
      message: 'You exceeded your current quota, please check your plan and billing details.',
    },
    bucket: 'quota_exhausted',
  },
  {
    says: 'a hint that is too hopeful: key',
    failure: { bucket: 'upstream_5xx', message: 'failed', details: { status: 401 } },
    bucket: 'auth',
  },
  { says: 'a hint that knows more', failure: { bucket: 'tool_error', code: '503', message: 'Service Unavailable' }, bucket: 'tool_error' },
  {
    says: 'a hint of one kind of passing for another',
    failure: { bucket: 'upstream_5xx', code: '429', message: 'busy' },
    bucket: 'upstream_5xx',
  },
  { says: 'a hint that is none', failure: { bucket: 'RATE LIMITED!', message: 'whatever' }, bucket: 'unclassified' },
  // What nobody can know.
  { says: 'nothing', failure: { message: '' }, bucket: 'unclassified' },
  { says: 'a sentence', failure: { message: 'the vendor has no registry entry' }, bucket: 'unclassified' },
  { says: 'a code of one’s own', failure: { code: 'E42', message: 'step 3 went wrong' }, bucket: 'unclassified' },
  {
    says: 'JSON that is none',
    failure: { code: 'SyntaxError', message: 'Unexpected token < in JSON at position 0' },
    bucket: 'unclassified',
  },
  {
    says: 'a Python validation',
    failure: { code: 'pydantic.ValidationError', message: '1 validation error for Vendor' },
    bucket: 'unclassified',
  },
  { says: 'a sentence about limits', failure: { message: 'the agreed interest rate limit is 4 percent' }, bucket: 'unclassified' },
];
