import { Folds } from '@cairn/application';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import {
  ARTIFACT_UPLOAD_BYTES_MAX,
  BODY_BYTES_MAX,
  BUNDLE_BYTES_MAX,
  lineSubjects,
  metricNames,
  type CallbackView,
  type EffectControl,
  type ReviewVerb,
  type RunControl,
  type WorkDesk,
} from '@cairn/contracts';
import {
  isFault,
  type Artifacts,
  type Bus,
  type CallbackTokens,
  type Clock,
  type EventStore,
  type Ids,
  type Line,
  type Listening,
  type Metrics,
  type Randomness,
} from '@cairn/ports';
import { ok, type Answer } from './answer.js';
import { showBranches } from './branches/branches.js';
import { showDiff } from './branches/diff.js';
import { showPlan } from './branches/plan-branch.js';
import { exportBundle } from './bundles/export-bundle.js';
import { importBundle } from './bundles/import-bundle.js';
import { ImportedRuns } from './bundles/imported-runs.js';
import { abandonBranch } from './commands/abandon-branch.js';
import { giveLink } from './callbacks/give-link.js';
import { showCallback } from './callbacks/show-callback.js';
import { useCallback } from './callbacks/use-callback.js';
import { applyDefinition } from './commands/apply-definition.js';
import { applyPolicy } from './commands/apply-policy.js';
import { controlRun } from './commands/control-run.js';
import { Intake } from './commands/intake.js';
import { controlEffect } from './commands/control-effect.js';
import { openBranch } from './commands/open-branch.js';
import { fireWait, rescheduleWait } from './commands/wait.js';
import { putArtifact } from './commands/put-artifact.js';
import { publishEvent } from './commands/publish-event.js';
import { reviewCommand } from './commands/review.js';
import { sendSignal } from './commands/send-signal.js';
import { startRun } from './commands/start-run.js';
import { beat, pollWork, reply } from './commands/work.js';
import { createFastLane } from './edge/fast-lane.js';
import { createGate, pathOf, type GateConfig } from './edge/gate.js';
import { hungUp } from './edge/hung-up.js';
import { digestParam, idempotencyKey, idParam, nameParam, namespaceParam, type Query } from './edge/params.js';
import { refuse } from './edge/refused.js';
import { refuseBrokenPath } from './edge/broken-path.js';
import { readBody, type RawBody } from './edge/read-body.js';
import { awaitResult } from './queries/await-result.js';
import { RunStreams } from './queries/follow-run.js';
import { getArtifact } from './queries/get-artifact.js';
import { listRuns } from './queries/list-runs.js';
import { RunReader } from './queries/run-reader.js';
import { listDefinitions, showDefinition } from './queries/show-definition.js';
import { findReceipt, showReceipt } from './queries/show-receipt.js';
import { listEffects, showEffect } from './queries/show-effects.js';
import { listPolicies, showPolicy } from './queries/show-policy.js';
import { listReviews, showReview } from './queries/show-reviews.js';
import { showRetries } from './queries/show-retries.js';
import { showHistory, showRun, showState, showWaits } from './queries/show-run.js';
import { listWaits, showWait } from './queries/show-waits.js';
import { previewWait } from './queries/preview-wait.js';
import { showWhy } from './queries/show-why.js';
import { showVerification } from './queries/verify-run.js';
import { LifecycleMetrics } from './lifecycle-metrics/lifecycle-metrics.js';
import { ResumeProofs } from './lifecycle-metrics/resume-proofs.js';
import { Scrape } from './lifecycle-metrics/scrape.js';
import { Changes } from './readmodels/changes.js';
import { Follower } from './readmodels/follower.js';
import { ReadModels } from './readmodels/read-models.js';
import { rebuild } from './rebuilding/rebuild.js';

export interface GatewayConfig extends GateConfig {
  /** The namespaces that exist here. */
  readonly namespaces: readonly string[];
}

export interface GatewayParts {
  readonly store: EventStore;
  readonly bus: Bus;
  /** Tells at once what other processes have stored; without it they are seen at the next poll. */
  readonly line?: Line;
  readonly artifacts: Artifacts;
  /** Of the links that tasks are given; without it none is known. */
  readonly callbackTokens?: CallbackTokens;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
  /** What is folded in this process: the gateway's own is put into it. In the embedded default that of all services. */
  readonly folds?: Folds;
  readonly desk: WorkDesk;
  readonly config: GatewayConfig;
  /** Told of every error that is neither a refusal nor a fault. */
  readonly onBug: (error: unknown) => void;
}

const MS_PER_S = 1_000;
/** Paths whose bodies may be larger than `BODY_BYTES_MAX`. */
const largeBodies: readonly { readonly path: RegExp; readonly bytesMax: number }[] = [
  { path: /^\/v1\/[^/]+\/artifacts(?:\/|$)/, bytesMax: ARTIFACT_UPLOAD_BYTES_MAX },
  { path: /^\/v1\/[^/]+\/bundles$/, bytesMax: BUNDLE_BYTES_MAX },
];

/** Path parameters as they came, still unchecked. */
export type Params = Readonly<Record<string, string>>;

/** The HTTP face without HTTP's framework: what doors call. Every method checks what it is given and throws `Refused`, or faults. */
export type Gateway = ReturnType<typeof assembleGateway>;

/** Puts the gateway together. It writes nothing to the store: it asks the services, and reads. */
export function assembleGateway(parts: GatewayParts) {
  const { store, bus, artifacts, clock, ids, metrics, desk, config, onBug } = parts;
  const namespaces: ReadonlySet<string> = new Set(config.namespaces);
  const ns = (params: Params): string => namespaceParam(params['ns'] ?? '', namespaces);
  const id = (params: Params): string => idParam(params['id'] ?? '');
  const name = (params: Params): string => nameParam(params['name'] ?? '');

  const gate = createGate(config);
  const changes = new Changes(clock);
  const ends = new Changes(clock);
  const proofs = new ResumeProofs({ store, artifacts, clock, metrics, activity: () => follower.foldedCount(), onBug });
  const lifecycle = new LifecycleMetrics(metrics, (resume) => proofs.add(resume));
  const models = new ReadModels({ changes, ends }, lifecycle);
  const follower = new Follower({ store, clock, models, onFault: onFollowerFault });
  const folds = parts.folds ?? new Folds();
  folds.add('gateway', [follower]);
  const scrape = new Scrape({ follower, proofs, clock });
  const imported = new ImportedRuns({ store, artifacts });
  const reader = new RunReader({ store, artifacts, models, imported });
  const intake = new Intake({ bus, ids });
  const streams = new RunStreams({ reader, changes });
  const fastLane = createFastLane({ gate, namespaces, desk, onBug, startRun: (...asked) => startRun({ intake, ids }, ...asked) });
  const shown = { reader, imported, store, artifacts, clock, ends, desk, models, metrics };

  const callbacks = { tokens: parts.callbackTokens, namespaces, reader, store, artifacts, clock, intake };

  let facts: Listening | undefined;

  return {
    /** Follows the store. `caughtUp` resolves when lists show everything that was stored before. */
    start: (): { readonly caughtUp: Promise<void> } => {
      facts = parts.line?.listen(lineSubjects.facts, () => follower.nudge());
      return { caughtUp: follower.start() };
    },
    /** Ends what is held open; requests that come later are the server's to refuse. */
    stop: async (): Promise<void> => {
      facts?.stop();
      streams.stop();
      changes.releaseAll();
      ends.releaseAll();
      proofs.stop();
      await follower.stop();
    },
    /** How far lists are behind the store. */
    lagMs: (): number => follower.lagMs(),
    /**
     * Waits until the lifecycle metrics are those of everything stored by now (`Scrape`), and sets the gauges. False: they are still being
     * folded after a start, and what a scrape would see now are counters that fall back and rise again.
     */
    tellMetrics: async (): Promise<boolean> => {
      const whole = await scrape.prepared();
      lifecycle.tellGauges();
      models.reviews.tellGauges(metrics, clock.now());
      metrics.gauge(metricNames.projectionLag, follower.lagMs() / MS_PER_S, { projection: 'runs' });
      return whole;
    },

    intercept: (request: IncomingMessage, response: ServerResponse): boolean =>
      fastLane(request, response) || refuseBrokenPath(request, response),
    admit: gate,
    readBody: async (request: IncomingMessage): Promise<RawBody> => ({
      bytes: await readBody(request, bytesMaxOf(pathOf(request))),
      contentType: request.headers['content-type'],
    }),
    onBug,

    publishEvent: (p: Params, headers: IncomingHttpHeaders, body: RawBody | undefined, request: IncomingMessage): Promise<Answer> =>
      publishEvent(intake, ns(p), headers, body, gate.principalOf(request).id),
    sendSignal: (p: Params, headers: IncomingHttpHeaders, body?: RawBody): Promise<Answer> =>
      sendSignal({ intake, ids, reader }, ns(p), id(p), name(p), idempotencyKey(headers['idempotency-key']), body),
    controlRun: (
      p: Params,
      verb: RunControl,
      headers: IncomingHttpHeaders,
      body: RawBody | undefined,
      request: IncomingMessage,
    ): Promise<Answer> =>
      controlRun(
        { intake, ids, reader, actor: gate.principalOf(request).id },
        ns(p),
        id(p),
        verb,
        idempotencyKey(headers['idempotency-key']),
        body,
      ),
    applyDefinition: (p: Params, body?: RawBody): Promise<Answer> => applyDefinition(intake, ns(p), name(p), body),
    applyPolicy: (p: Params, body?: RawBody): Promise<Answer> => applyPolicy(intake, ns(p), name(p), body),

    putArtifact: async (p: Params, headers: IncomingHttpHeaders, body?: RawBody): Promise<Answer> => {
      ns(p);
      const named = p['sha256'] === undefined ? undefined : digestParam(p['sha256']);
      return putArtifact(artifacts, named, headers['content-digest'], body);
    },
    getArtifact: async (p: Params): Promise<{ readonly sha256: string; readonly bytes: Uint8Array }> => {
      ns(p);
      const sha256 = digestParam(p['sha256'] ?? '');
      return { sha256, bytes: await getArtifact(artifacts, sha256) };
    },

    listRuns: (p: Params, query: Query): Answer => ok(listRuns(models, clock, ns(p), query)),
    showRun: async (p: Params): Promise<Answer> => ok(await showRun(shown, ns(p), id(p))),
    showState: async (p: Params, query: Query): Promise<Answer> => ok(await showState(shown, ns(p), id(p), query)),
    showHistory: async (p: Params, query: Query): Promise<Answer> => ok(await showHistory(shown, ns(p), id(p), query)),
    showWaits: async (p: Params, query: Query): Promise<Answer> => ok(await showWaits(shown, ns(p), id(p), query)),
    previewWait: async (p: Params, body?: RawBody): Promise<Answer> =>
      ok(await previewWait({ reader, store, artifacts, clock, ids }, ns(p), id(p), p['wait'] ?? '', body)),
    rescheduleWait: (p: Params, headers: IncomingHttpHeaders, body: RawBody | undefined, request: IncomingMessage): Promise<Answer> =>
      rescheduleWait(
        { intake, ids, reader, store, artifacts, clock, actor: gate.principalOf(request).id },
        ns(p),
        id(p),
        p['wait'] ?? '',
        idempotencyKey(headers['idempotency-key']),
        body,
      ),
    fireWait: (p: Params, headers: IncomingHttpHeaders, body: RawBody | undefined, request: IncomingMessage): Promise<Answer> =>
      fireWait(
        { intake, ids, reader, store, artifacts, clock, actor: gate.principalOf(request).id },
        ns(p),
        id(p),
        p['wait'] ?? '',
        idempotencyKey(headers['idempotency-key']),
        body,
      ),
    showVerification: async (p: Params, query: Query): Promise<Answer> => ok(await showVerification(shown, ns(p), id(p), query)),
    showRetries: async (p: Params, query: Query): Promise<Answer> => ok(await showRetries(shown, ns(p), id(p), query)),
    showBranches: async (p: Params, query: Query): Promise<Answer> => ok(await showBranches(shown, ns(p), id(p), query)),
    planBranch: async (p: Params, body?: RawBody): Promise<Answer> =>
      ok(await showPlan({ ...shown, store, artifacts }, ns(p), id(p), body)),
    openBranch: (p: Params, headers: IncomingHttpHeaders, body: RawBody | undefined, request: IncomingMessage): Promise<Answer> =>
      openBranch({ intake, ids, reader, by: gate.principalOf(request) }, ns(p), id(p), idempotencyKey(headers['idempotency-key']), body),
    abandonBranch: (p: Params, body: RawBody | undefined, request: IncomingMessage): Promise<Answer> =>
      abandonBranch({ intake, ids, reader, actor: gate.principalOf(request).id }, ns(p), id(p), p['branch'] ?? '', body),
    showDiff: async (p: Params, query: Query): Promise<Answer> => ok(await showDiff(shown, ns(p), id(p), p['range'] ?? '', query)),
    listEffects: async (p: Params, query: Query): Promise<Answer> => ok(await listEffects(shown, ns(p), id(p), query)),
    showEffect: async (p: Params, query: Query): Promise<Answer> => ok(await showEffect(shown, ns(p), id(p), p['key'] ?? '', query)),
    controlEffect: (
      p: Params,
      verb: EffectControl,
      headers: IncomingHttpHeaders,
      body: RawBody | undefined,
      request: IncomingMessage,
    ): Promise<Answer> =>
      controlEffect(
        { intake, ids, reader, actor: gate.principalOf(request).id },
        ns(p),
        id(p),
        { key: p['key'] ?? '', verb },
        idempotencyKey(headers['idempotency-key']),
        body,
      ),
    showWhy: async (p: Params, query: Query): Promise<Answer> => ok(await showWhy(shown, ns(p), id(p), query)),
    awaitResult: async (p: Params, query: Query): Promise<Answer> => ok(await awaitResult(shown, ns(p), id(p), query)),
    exportBundle: async (p: Params, query: Query): Promise<AsyncGenerator<string | Uint8Array>> => exportBundle(shown, ns(p), id(p), query),
    /** Nudged, so that whoever imported a run finds it in lists. */
    importBundle: async (p: Params, body?: RawBody): Promise<Answer> => {
      const answer = await importBundle({ intake, imported, artifacts }, ns(p), body);
      follower.nudge();
      return answer;
    },
    followRun: (p: Params, query: Query, lastEventId: string | string[] | undefined): Promise<AsyncGenerator<string>> =>
      streams.start(ns(p), id(p), query, lastEventId),

    listReviews: (p: Params, query: Query, request: IncomingMessage): Promise<Answer> =>
      Promise.resolve(ok(listReviews(models, ns(p), gate.principalOf(request), query))),
    /** A verb behind the id decides, and a GET never does: whoever only follows a link is told so. */
    showReview: async (p: Params): Promise<Answer> => {
      if (/:[a-z]+$/.test(p['id'] ?? ''))
        refuse('method_not_allowed', 'A GET decides nothing; this is done by POST.', {}, { allow: 'POST' });
      return ok(await showReview(store, ns(p), id(p)));
    },
    /** Nudged, so that whoever decided does not find it in the inbox any more. */
    reviewCommand: async (p: Params, verb: ReviewVerb, body: RawBody | undefined, request: IncomingMessage): Promise<Answer> => {
      const answer = await reviewCommand(intake, ns(p), id(p), verb, gate.principalOf(request), body);
      follower.nudge();
      return answer;
    },

    giveLink: async (p: Params, body?: RawBody): Promise<Answer> => ok(await giveLink(callbacks, ns(p), id(p), p['wait'] ?? '', body)),
    showCallback: (token: string): Promise<CallbackView> => showCallback(callbacks, token),
    useCallback: (token: string, body?: RawBody): Promise<Answer> => useCallback(callbacks, token, body),

    listWaits: (p: Params, query: Query): Answer => ok(listWaits(models, ns(p), query)),
    showWait: async (p: Params): Promise<Answer> => ok(await showWait(models, reader, ns(p), id(p))),
    showReceipt: async (p: Params): Promise<Answer> => ok(await showReceipt(store, ns(p), idParam(p['receiptId'] ?? ''))),
    findReceipt: async (p: Params, query: Query): Promise<Answer> => ok(await findReceipt(store, ns(p), query)),
    listDefinitions: (p: Params, query: Query): Answer => ok(listDefinitions(models, ns(p), query)),
    showDefinition: async (p: Params, query: Query): Promise<Answer> =>
      ok(await showDefinition({ store, artifacts }, ns(p), name(p), query)),
    listPolicies: (p: Params, query: Query): Answer => ok(listPolicies(models, ns(p), query)),
    showPolicy: async (p: Params, query: Query): Promise<Answer> => ok(await showPolicy(store, ns(p), name(p), query)),

    /** An operator's: every fold of every service is made anew and compared. */
    rebuild: (p: Params): AsyncGenerator<string> => {
      ns(p);
      return rebuild({ line: parts.line, clock, ids, folds });
    },

    pollWork: (p: Params, body: RawBody | undefined, response: ServerResponse): Promise<Answer> =>
      pollWork(desk, ns(p), nameParam(p['queue'] ?? ''), body, hungUp(response)),
    beat: (p: Params, body?: RawBody): Promise<Answer> => beat(desk, ns(p), idParam(p['attemptId'] ?? ''), body),
    reply: (p: Params, body?: RawBody): Promise<Answer> => reply(desk, ns(p), idParam(p['attemptId'] ?? ''), body),
  };

  function bytesMaxOf(path: string): number {
    return largeBodies.find((large) => large.path.test(path))?.bytesMax ?? BODY_BYTES_MAX;
  }

  function onFollowerFault(fault: unknown): void {
    if (!isFault(fault)) onBug(fault);
  }
}
