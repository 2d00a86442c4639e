import { invariant, isName, isNamespace } from '@cairn/kernel';
import type { ConsumerSpec } from '@cairn/ports';
import { busStreams } from './bus-streams.js';
import {
  consumers,
  executionPartition,
  humanReviewCommands,
  humanReviewOnRunFacts,
  retryPolicyCommands,
  retryPolicyOnStepFailed,
  schedulingCommands,
  schedulingIntake,
  schedulingOnRunFacts,
  workQueue,
} from './consumers.js';
import { reviewVerbs } from './reviews.js';
import { deskQuestions, kebab, lineSubjects } from './subjects.js';

/**
 * Who may say and hear what on the nats-server (`reliability.md` §6.1). Allow lists only: deny lists were once passed by queue
 * subscriptions. The command is a token of its subject, so the broker itself enforces who may ask what.
 */
export interface BusUser {
  /** Of the user, as in `CAIRN_NKEY_<NAME>`. */
  readonly name: string;
  /** Where its answers go, and nobody else's: `CAIRN_NATS_INBOX_PREFIX`. */
  readonly inboxPrefix: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What scheduling asks of execution, and nobody else. */
const OF_SCHEDULING = [
  'StartRun',
  'WakeRun',
  'ExpireWait',
  'MarkStale',
  'CancelRun',
  'PauseRun',
  'UnpauseRun',
  'OpenBranch',
  'ReconcileEffect',
  'CompensateEffect',
  'RescheduleWait',
];
/** What the gateway asks of execution for people: a shadow is nobody's but the operator's who gives it up. */
const OF_GATEWAY = ['AbandonBranch'];
/** What retry-policy asks of execution, and nobody else. */
const OF_RETRY_POLICY = ['ApplyRetryDecision'];

/** What human-review asks of execution, and nobody else: execution then reads the review itself. */
const OF_HUMAN_REVIEW = ['ApplyVerdict', 'ApplyEscalation'];

/** Services answer whoever asked, wherever that listens. */
const ANSWERS = '_INBOX.>';
const DEAD_LETTERS = 'cairn.*.dead.>';

const executionUser = user('execution', {
  publish: [
    ...bound(consumers.filter(({ busStream }) => busStream === executionPartition(0).busStream)),
    'cairn.*.work.*',
    'cairn.*.reply.*', // What reached a replica that does not serve the partition.
    'cairn.*.evt.run.>',
    'cairn.*.in.>', // What `emit` steps say, told by its relay.
    'cairn.*.desk.*.*',
    'cairn.presence.execution.*',
    lineSubjects.rebuilt,
    DEAD_LETTERS,
    ANSWERS,
  ],
  subscribe: [lineSubjects.claims, 'cairn.*.exchange.*', 'cairn.*.desk.*.*', lineSubjects.presence, lineSubjects.rebuild],
});

const schedulingUser = user('scheduling', {
  publish: [
    ...bound([schedulingIntake, schedulingCommands, schedulingOnRunFacts]),
    ...asks(OF_SCHEDULING),
    'cairn.*.evt.receipt.>',
    lineSubjects.rebuilt,
    DEAD_LETTERS,
    ANSWERS,
  ],
  subscribe: [lineSubjects.rebuild],
});

const retryPolicyUser = user('retry-policy', {
  publish: [
    ...bound([retryPolicyOnStepFailed, retryPolicyCommands]),
    ...asks(OF_RETRY_POLICY),
    lineSubjects.rebuilt,
    DEAD_LETTERS,
    ANSWERS,
  ],
  subscribe: [lineSubjects.rebuild],
});

const humanReviewUser = user('human-review', {
  publish: [
    ...bound([humanReviewOnRunFacts, humanReviewCommands]),
    ...asks(OF_HUMAN_REVIEW),
    'cairn.*.evt.review.>',
    lineSubjects.rebuilt,
    DEAD_LETTERS,
    ANSWERS,
  ],
  subscribe: [lineSubjects.rebuild],
});

/** It asks what people may ask: no judgement, no decision, no fact. Replies that come by HTTP it hands on: the attempt's id is what counts. */
const gatewayUser = user('gateway', {
  publish: [
    'cairn.*.in.>',
    'cairn.*.run.>',
    ...asks(OF_GATEWAY),
    'cairn.*.cmd.scheduling.apply-definition',
    'cairn.*.cmd.scheduling.import-bundle',
    'cairn.*.cmd.retry-policy.apply-policy',
    ...reviewVerbs.map((verb) => `cairn.*.cmd.human-review.${verb}-review`),
    'cairn.*.exchange.*',
    'cairn.*.reply.*',
    ...deskQuestions.filter((question) => question !== 'moved').map((question) => `cairn.*.desk.*.${question}`),
    lineSubjects.rebuild, // For an operator, who comes by HTTP.
    lineSubjects.rebuilt,
  ],
  subscribe: [lineSubjects.presence, lineSubjects.facts, lineSubjects.rebuild, lineSubjects.rebuilt],
});

/** `cairn bus apply` and `cairn doctor`: makes and changes, never purges; deletes a consumer only to make it anew. */
const busAdministrator = user('bus', {
  publish: [
    '$JS.API.INFO',
    ...busStreams.flatMap(({ name }) => [
      `$JS.API.STREAM.CREATE.${name}`,
      `$JS.API.STREAM.UPDATE.${name}`,
      `$JS.API.STREAM.INFO.${name}`,
      `$JS.API.CONSUMER.CREATE.${name}.>`,
      `$JS.API.CONSUMER.DURABLE.CREATE.${name}.*`,
      `$JS.API.CONSUMER.INFO.${name}.*`,
      `$JS.API.CONSUMER.DELETE.${name}.*`,
    ]),
    'cairn.*.desk.*.queue',
  ],
  subscribe: [lineSubjects.presence],
});

/** One for each process of Cairn, and one for whoever administers the bus. */
export const serviceUsers: readonly BusUser[] = [
  executionUser,
  schedulingUser,
  retryPolicyUser,
  humanReviewUser,
  gatewayUser,
  busAdministrator,
];

/**
 * Handlers of one namespace: they reply, claim and exchange frames there. Those that take tasks as messages name their queues; a worker
 * session of the SDK needs none. `as` tells one such user from another.
 */
export function handlerUser(ns: string, queues: readonly string[] = [], as = 'handlers'): BusUser {
  mustBeNames(ns, as);
  return user(
    `${as}-${ns}`,
    {
      publish: [
        '$JS.API.INFO', // Clients ask it before they bind.
        ...bound(queues.map((queue) => workQueue(ns, queue))),
        `cairn.${ns}.reply.*`,
        `cairn.${ns}.claim.*`,
        `cairn.${ns}.exchange.*`,
        `cairn.${ns}.desk.*.heartbeat`, // Progress, answered with whether the attempt is open still.
      ],
      subscribe: [lineSubjects.presence],
    },
    `_INBOX.handler.${ns}.${as}`,
  );
}

/** What an outside publisher may do beside publishing events. */
export type PublisherGrant = 'start' | 'signal';

/** Whoever publishes events of one namespace and hears what they did. */
export function publisherUser(ns: string, grants: readonly PublisherGrant[] = [], as = 'publisher'): BusUser {
  mustBeNames(ns, as);
  return user(
    `${as}-${ns}`,
    {
      publish: [
        `cairn.${ns}.in.>`,
        ...(grants.includes('start') ? [`cairn.${ns}.run.start.*`] : []),
        ...(grants.includes('signal') ? [`cairn.${ns}.run.*.signal.*`] : []),
      ],
      subscribe: [`cairn.${ns}.evt.receipt.>`],
    },
    `_INBOX.publisher.${ns}.${as}`,
  );
}

function user(
  name: string,
  { publish, subscribe = [] }: { readonly publish: readonly string[]; readonly subscribe?: readonly string[] },
  inboxPrefix = `_INBOX.${name}`,
): BusUser {
  const own = `${inboxPrefix}.>`; // It asks there whether it is still connected.
  return { name, inboxPrefix, publish: publish.includes(ANSWERS) ? publish : [...publish, own], subscribe: [...subscribe, own] };
}

/** What binding a consumer needs: to ask for its messages, to look at it and at its stream, to acknowledge. */
function bound(specs: readonly ConsumerSpec[]): string[] {
  const streams = [...new Set(specs.map(({ busStream }) => busStream))];
  return streams.flatMap((stream) => {
    const own = specs.filter(({ busStream }) => busStream === stream);
    const all = consumers.filter(({ busStream }) => busStream === stream);
    // Who is alone on a bus stream may take all of it; one line says the same as one for each partition.
    const alone = own.length > 1 && own.length === all.length && own.every((spec) => all.includes(spec));
    const durables = alone ? ['*'] : own.map(({ durable }) => durable);
    return [
      `$JS.API.STREAM.INFO.${stream}`,
      ...durables.flatMap((durable) => [
        `$JS.API.CONSUMER.INFO.${stream}.${durable}`,
        `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`,
        `$JS.ACK.${stream}.${durable}.>`,
      ]),
    ];
  });
}

function asks(commands: readonly string[]): string[] {
  return commands.map((command) => `cairn.*.cmd.execution.*.${kebab(command)}`);
}

function mustBeNames(ns: string, as: string): void {
  invariant(isNamespace(ns) && isName(as), `no user of a namespace: ${as} ${ns}`.slice(0, 80));
}
