import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Why a part is not ready, in a few words without payload; `undefined`: it is. */
export type ReadinessProbe = () => string | undefined | Promise<string | undefined>;

export interface ReadinessReport {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, string>>;
}

/** A probe that does not answer is a part that is not ready: kubelet's own deadline is 1 s by default. */
const PROBE_DEADLINE_MS = 900;
/** How long an answer of the probes is given again: many probers must not become load on the store. */
const FRESH_MS = 1_000;
const LOOP_RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

/**
 * Liveness and readiness of one process (`experience.md` §3.2). Live: the event loop turns, so whoever gets an answer knows. Ready:
 * every part says so and nobody drains. An outage of store or bus makes a process unready, never dead.
 */
export class Health {
  private readonly probes = new Map<string, ReadinessProbe>();
  private readonly loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  private draining = false;
  private last: { readonly at: number; readonly report: Promise<ReadinessReport> } | undefined;

  constructor() {
    this.loop.enable();
  }

  /** Adds a part. Its name is shown: no secrets. */
  add(part: string, probe: ReadinessProbe): void {
    this.probes.set(part, probe);
    this.last = undefined;
  }

  /** From here on the process is unready for good. */
  drain(): void {
    this.draining = true;
  }

  readiness(): Promise<ReadinessReport> {
    if (this.draining) return Promise.resolve({ ready: false, parts: { process: 'draining' } });
    const now = performance.now();
    if (this.last === undefined || now - this.last.at > FRESH_MS) this.last = { at: now, report: this.ask() };
    return this.last.report;
  }

  /** p99 of the event loop's delay since the last call. */
  loopLagSeconds(): number {
    const ms = Math.max(0, this.loop.percentile(99) / NS_PER_MS - LOOP_RESOLUTION_MS);
    this.loop.reset();
    return ms / 1000;
  }

  close(): void {
    this.loop.disable();
  }

  private async ask(): Promise<ReadinessReport> {
    const answers = await Promise.all([...this.probes].map(async ([part, probe]) => [part, (await answerOf(probe)) ?? 'ready'] as const));
    return { ready: answers.every(([, says]) => says === 'ready'), parts: Object.fromEntries(answers) };
  }
}

async function answerOf(probe: ReadinessProbe): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, PROBE_DEADLINE_MS, 'no answer');
  });
  try {
    return await Promise.race([probe(), late]);
  } catch {
    return 'failed';
  } finally {
    clearTimeout(timer);
  }
}
