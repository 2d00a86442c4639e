import type { Bucket } from '@cairn/domain-definition';

/**
 * Codes of services and names of errors, as lists by bucket: without path and separators, lower case, without a final "error" or "exception"
 * (`openai.RateLimitError`, `rate_limit_error` and `RATE_LIMIT` are one). A `!` behind a word asks for that ending: alone it says nothing. From the documentation and recorded bodies of OpenAI, Anthropic,
 * Google, Azure, AWS, Mistral and Cohere, of gRPC, SQL servers, Node and the usual libraries of JavaScript, Python, Go and Java.
 */

/** The service says itself what it is: counts before the status. */
const SPECIFIC: { readonly [bucket in Bucket]?: string } = {
  rate_limited:
    'ratelimit ratelimited ratelimitexceeded ratelimitreached toomanyrequests resourceexhausted throttling throttled requestlimitexceeded provisionedthroughputexceeded requestthrottled slowdown bandwidthlimitexceeded userratelimitexceeded slackwebapiratelimited servicetiercapacityexceeded enhanceyourcalm',
  quota_exhausted:
    'insufficientquota servicequotaexceeded dailylimitexceeded monthlylimitexceeded usagelimitreached usagelimitexceeded limitexceeded! spendlimitexceeded',
  billing:
    'billing! billinghardlimitreached billingnotactive billingdisabled billingnotenabled insufficientbalance insufficientcredits insufficientfunds paymentrequired creditbalancetoolow carddeclined expiredcard accountpastdue',
  auth: 'invalidapikey apikeyinvalid apikeyexpired incorrectapikey missingapikey invalidauthentication invalidtoken expiredtoken tokenexpired invalidgrant invalidclient! invalidclienttokenid unrecognizedclient signaturedoesnotmatch incompletesignature invalidsignature unauthenticated unauthorized nocredentials credentialsprovider! partialcredentials credentialretrieval accesstokenexpired 28p01 28000 eraccessdenied jsonwebtoken! certhasexpired unabletoverifyleafsignature selfsignedcert depthzeroselfsignedcert selfsignedcertinchain unabletogetissuercert unabletogetissuercertlocally certuntrusted certrevoked errtlscertaltnameinvalid sslcertverification',
  permission:
    'permissiondenied accessdenied forbidden insufficientpermissions insufficientscope accesstokenscopeinsufficient servicedisabled unsupportedcountryregionterritory notauthorized missingscope 42501 eacces eperm accountdeactivated organizationdeactivated',
  not_found:
    'modelnotfound notfound deploymentnotfound nosuchkey nosuchbucket nosuchentity resourcenotfound doesnotexist enoent filenotfound nosuchmodel',
  context_length:
    'contextlengthexceeded contextwindowexceeded modelcontextwindowexceeded requesttoolarge maxtokensexceeded tokenlimitexceeded prompttoolong inputtoolong lengthfinishreason',
  content_refused:
    'contentfilter contentpolicyviolation responsibleaipolicyviolation contentfiltered contentblocked moderationblocked invalidprompt refusal safety recitation blocklist prohibitedcontent spii promptblocked blockedprompt guardrailintervened contentfilterfinishreason imagesafety',
  model_output_invalid:
    'noobjectgenerated ainoobjectgenerated nosuchtool ainosuchtool invalidtoolarguments aiinvalidtoolarguments invalidtoolinput aiinvalidtoolinput aitypevalidation aijsonparse outputparser outputparsing outputparsingfailure unexpectedmodelbehavior modelbehavior! malformedfunctioncall unexpectedtoolcall invalidtoolcall failedgeneration jsonvalidatefailed toolusefailed instructorretry outputvalidation!',
  invalid_input:
    'alreadyexists resourcealreadyexists duplicate! uniqueviolation 23505 23502 23503 23514 22001 22003 22007 22p02 42601 42703 42p01 erdupentry erbadfield ersyntax erparse ernosuchtable sqliteconstraint p2002 p2003 failedprecondition outofrange unimplemented parametermissing parameterinvalid parameterunknown idempotency! invalidparameter missingparameter unprocessableentity errinvalidurl errinvalidargtype',
  conflict:
    '40001 40p01 55p03 erlockdeadlock erlockwaittimeout p2034 sqlitebusy sqlitelocked writeconflict transactionconflict aborted serializationfailure deadlockdetected deadlock optimisticlock staleobject! concurrentmodification idempotencykeyinuse',
  upstream_5xx:
    'overloaded serviceoverloaded engineoverloaded modeloverloaded api! internalserver internalfailure serviceunavailable serverbusy unavailable backend! modelnotready modelstream! model! badgateway gatewaytimeout server! temporarilyunavailable 57p01 57p02 57p03 53300 toomanyconnections erconcount',
  timeout: 'deadlineexceeded modeltimeout apitimeout requesttimeout requesttimedout 57014 statementtimeout querycanceled',
};

/** Names that many things have: count after the status, which knows better. */
const GENERAL: { readonly [bucket in Bucket]?: string } = {
  timeout:
    'timeout timedout etimedout esockettimedout readtimeout connecttimeout connectiontimeout pooltimeout writetimeout sockettimeout servertimeout underrconnecttimeout underrheaderstimeout underrbodytimeout underraborted headerstimeout bodytimeout abort! apiconnectiontimeout',
  network:
    'econnreset econnrefused enotfound eaiagain ehostunreach enetunreach enetdown ehostdown epipe enetreset underrsocket underrclosed underrdestroyed connection! apiconnection! connect! connectionreset connectionrefused connectionaborted connectionclosed newconnection! maxretry! protocol! remoteprotocol! chunkedencoding! incompleteread read! write! network! remotedisconnected serverdisconnected clientconnector! clientos! clientconnection! clientconnectordns! endpointconnection! nameresolution! gaierror unknownhost socket! brokenpipe errsocketclosed errstreamprematureclose prematureclose errnetwork errconnectionrefused errnamenotresolved errnetworkchanged ssleof! 08000 08001 08003 08004 08006 08s01 crserverlost protocolconnectionlost',
  auth: 'authentication',
  invalid_input: 'invalidrequest invalidargument badrequest validationexception invalidinput!',
  upstream_5xx: 'internal',
};

interface Named {
  readonly bucket: Bucket;
  readonly endingAsked: boolean;
}

const table = (lists: { readonly [bucket in Bucket]?: string }): ReadonlyMap<string, Named> =>
  new Map(
    Object.entries(lists).flatMap(([bucket, names]) =>
      (names ?? '')
        .split(' ')
        .map((name) => [name.replace('!', ''), { bucket: bucket as Bucket, endingAsked: name.endsWith('!') }] as const),
    ),
  );

const specific = table(SPECIFIC);
const general = table(GENERAL);
const ENDING = /(?<=.)(?:error|exception)$/;

function lookUp(names: ReadonlyMap<string, Named>, code: string): Bucket | undefined {
  const name = code
    .slice(Math.max(...['.', '#', ':', '/'].map((separator) => code.lastIndexOf(separator))) + 1)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');
  const whole = names.get(name);
  if (whole?.endingAsked === false) return whole.bucket;
  return ENDING.test(name) ? names.get(name.replace(ENDING, ''))?.bucket : undefined;
}

/** What services say themselves, in the order of the codes. */
export const specificBuckets = (codes: readonly string[]): readonly Bucket[] => codes.flatMap((code) => lookUp(specific, code) ?? []);
/** What the names of errors suggest where nothing else is known. */
export const generalBuckets = (codes: readonly string[]): readonly Bucket[] => codes.flatMap((code) => lookUp(general, code) ?? []);
