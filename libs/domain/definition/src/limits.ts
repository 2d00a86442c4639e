/** Limits of the definition language (`capabilities.md` §3, `reliability.md` §6.6). Each keeps one document from costing more than a document may. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;

/** UTF-8 bytes of a document, as text and in canonical form: it is stored inline in one event and read by every replica. */
export const DOCUMENT_BYTES_MAX = 256 * 1024;
/** Levels of nesting in a document. Deeper ones are generated or hostile. */
export const DOCUMENT_DEPTH_MAX = 20;
/** Steps of one workflow. */
export const STEPS_MAX = 500;
/** Searchable attributes of a run; each becomes a column of the read model. */
export const ATTRIBUTES_MAX = 20;
/** Triggers of one wait and start triggers of one workflow: all are looked at whenever an event of their type comes. */
export const TRIGGERS_MAX = 50;

/** Longest duration. B-20: what lies further ahead is a mistake in the unit. */
export const DURATION_MAX_MS = 5 * YEAR_MS;
/** Longest `lookBack` of a wait: kept events are deleted some day. */
export const LOOK_BACK_MAX_MS = 30 * DAY_MS;
/** How long an early event is kept unless its trigger says otherwise, and at most. */
export const KEEP_DEFAULT_MS = 7 * DAY_MS;
export const KEEP_MAX_MS = 365 * DAY_MS;
/** Time that one attempt may take. */
export const TIMEOUT_DEFAULT_MS = 10 * MINUTE_MS;
/** Time after which a silent handler counts as lost: shorter would fail healthy ones, longer hides dead ones. */
export const LEASE_DEFAULT_MS = 60 * SECOND_MS;
export const LEASE_MIN_MS = 5 * SECOND_MS;
export const LEASE_MAX_MS = HOUR_MS;

/** How bad a mistake of a step is unless it says so: an effect cannot be taken back by forgetting it. */
export const RISK_DEFAULT = 'low';
export const EFFECT_RISK_DEFAULT = 'medium';
/** Alternatives that a step declares: each is a branch of the run, and an option that people choose from. */
export const FALLBACKS_MAX = 5;
/** Of a decision: fewer than two leave nothing to decide, more than fifty no model tells apart. */
export const CHOICES_MIN = 2;
export const CHOICES_MAX = 50;

/** Reduced paths of a workflow: each is an option that people choose from. */
export const REDUCED_MAX = 10;
/** Steps of one of them: what needs more is a workflow of its own. */
export const REDUCED_STEPS_MAX = 50;

/** JSON pointers in an effect's `fields`: the fingerprint holds a value for each. */
export const EFFECT_FIELDS_MAX = 100;
/** Characters of one of them. */
export const POINTER_MAX = 512;

/** Characters of a review's question: it is a line in an inbox. */
export const QUESTION_MAX = 500;
/** People who must agree, and those who may be named. */
export const QUORUM_MAX = 10;
export const CANDIDATES_MAX = 50;
/** Levels that a review is passed up, at most. */
export const ESCALATIONS_MAX = 5;
/** Pieces of evidence that one review shows. */
export const EVIDENCE_MAX = 20;
/** How long an approval holds unless the review says otherwise: facts grow old. */
export const RECEIPT_TTL_DEFAULT_MS = DAY_MS;

/** Age of a run at which a person is asked, by default. */
export const RUN_AGE_DEFAULT_MS = YEAR_MS;
/** Age of a run of class `short`, at most and by default. */
export const SHORT_RUN_AGE_MS = 5 * MINUTE_MS;
/** Step occurrences and branches of a run, by default and at most. */
export const OCCURRENCES_DEFAULT = 2_000;
export const OCCURRENCES_MAX = 10_000;
export const BRANCHES_DEFAULT = 50;
export const BRANCHES_MAX = 9_999;
/** Turns of one `repeat`. */
export const REPEAT_MAX = 100;

/** Characters of one CEL source, checked before it is parsed: the parser recurses. */
export const CEL_SOURCE_MAX = 1_024;
/** Nodes and depth of one parsed expression, macros expanded. */
export const CEL_NODES_MAX = 200;
export const CEL_DEPTH_MAX = 24;
/** Items that a comprehension may walk over. They are not nested, so this also bounds the turns of an expression. */
export const CEL_LIST_MAX = 1_000;
/** UTF-8 bytes of an evaluated template. What is larger travels as an artifact. */
export const TEMPLATE_BYTES_MAX = 64 * 1024;
/** Characters of an evaluation error that are kept: it is stored with near misses. */
export const CEL_ERROR_MAX = 300;

/** Compiled things that are kept, per kind. A fleet runs tens of definitions; the bound is against apply in a loop. */
export const CACHE_ENTRIES_MAX = 512;

/** Columns and tokens of a YAML text: its parser's cost grows faster than the text (measured: 100,000 tokens 1 s). */
export const YAML_INDENT_MAX = 256;
export const YAML_TOKENS_MAX = 60_000;
