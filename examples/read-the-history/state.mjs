// docs/reference/history.md, "State and digest, digest version 1": a branch of a run, folded event by event.
import { canon, digestOf, sha256 } from './encoding.mjs';

const slice = () => Object.create(null); // Its keys are others' choice.
const endings = { RunFailed: 'failed', RunGaveUp: 'gave_up', RunCancelled: 'cancelled', RunCompleted: 'succeeded' };

export class State {
  path = { run: slice(), steps: slice(), attempts: slice(), waits: slice(), retries: slice(), checkpoints: slice() };
  ledger = { effects: slice(), used: slice(), spend: slice(), late: slice(), branches: slice(), notifications: slice() };
  status = { state: null, sub: null, since: null };
  revision = -1;

  // What entries and state follow from, and what stands in no entry.
  #outcome = null;
  #failure = { at: '' }; // the last one
  #owed = new Map(); // failed step -> retry, or an operator: awaiting_decision, effect_unknown
  #keys = new Map(); // step -> key of its newest attempt's effect
  #opened = new Map(); // wait -> data of its WaitOpened
  #came = new Map(); // wait -> what has come
  #references = new Set(); // steps whose output is an artifact

  constructor(run, branch) {
    Object.assign(this, { run, branch });
    for (const name of ['assumptions', 'carried', 'plans', 'reviews', 'scope']) this.path[name] = slice();
  }

  apply({ type, revision, data, metadata: { at } }) {
    this.revision = revision;
    this.#path(type, data);
    this.#ledger(type, data);
    this.#rest(type, data, at);
    const [state, sub = null] = this.#judge();
    if (this.status.state !== state || this.status.sub !== sub) this.status = { state, sub, since: at };
  }

  #path(type, data) {
    const { run, steps, attempts, waits, retries, checkpoints } = this.path;
    const { step, attemptId, waitId } = data;
    const settle = (status, output) => (steps[step] = { status, attempts: steps[step]?.attempts ?? 0, output });

    if (type === 'RunStarted') Object.assign(run, { goal: data.goal, input: data.input, paused: false });
    if (type === 'RunPaused' || type === 'RunUnpaused') run.paused = type === 'RunPaused';

    if (type === 'StepStarted') attempts[attemptId] = { step, n: data.attempt, taken: false };
    if (type === 'AttemptTaken') attempts[attemptId].taken = true;
    if (type === 'StepSucceeded' || type === 'StepFailed') delete attempts[attemptId];
    if (type in endings) this.path.attempts = slice();

    if (type === 'WaitOpened') waits[waitId] = { step, open: true, got: [] };
    if (type === 'WaitTriggered') waits[waitId].got.push(data.eventId);
    if (type === 'WaitSatisfied' || type === 'WaitExpired' || type === 'WaitWithdrawn') waits[waitId].open = false;

    if (type === 'StepStarted') steps[step] = { status: 'active', attempts: data.attempt, output: null };
    if (type === 'StepSucceeded') settle('succeeded', data.outputRef ?? data.output ?? null);
    if (type === 'StepFailed') steps[step].status = 'failed';
    if (type === 'StepSkipped') settle('skipped', null);
    if (type === 'EventEmitted') settle('succeeded', { eventId: data.eventId });
    if (type === 'WaitOpened') steps[step] = { status: 'waiting', attempts: 0, output: null };
    if (type === 'WaitSatisfied') settle('succeeded', this.#outputOfWait(waitId, data.triggers));
    if (type === 'WaitExpired' && 'value' in data.then) settle('succeeded', data.then.value);
    if (type === 'WaitExpired' && 'step' in data.then) settle('succeeded', { trigger: 'deadline' });

    if (type === 'RetryDecided') retries[attemptId] = { decision: data.decision, notBefore: data.notBefore ?? null };
    if (type === 'CheckpointReached') checkpoints[data.name] = data.kind;
  }

  #ledger(type, data) {
    const { effects, used, spend, late, branches } = this.ledger;
    const { step, attemptId, key, suffix, fingerprint } = data;

    if (type === 'EffectIntended') effects[key] = { suffix, status: 'intended', fingerprint, result: null };
    if (type === 'EffectConfirmed') Object.assign(effects[key], { status: 'confirmed', result: this.#outputDigest(step) });
    if (type === 'EffectAbsent') effects[key].status = 'absent';
    if (type === 'EffectUnknown') effects[key].status = 'unknown';

    if (type === 'WaitTriggered') used[canon([step, data.eventId])] = true;
    if (type === 'LateResultRecorded') late[canon([attemptId, data.replyId])] = true;

    if (type === 'RunStarted') branches[this.branch] = { ended: false, epoch: 1, head: true };
    if (type in endings) branches[this.branch].ended = true;

    const isAttempt = type === 'StepStarted';
    if (!isAttempt && type !== 'StepSucceeded' && type !== 'StepFailed' && type !== 'LateResultRecorded') return;
    const { usd = 0, tokensIn = 0, tokensOut = 0 } = data.usage ?? {};
    for (const name of [step, '']) {
      const { attempts, tokens, usd: spent } = spend[name] ?? { attempts: 0, tokens: 0, usd: 0 };
      spend[name] = { attempts: attempts + (isAttempt ? 1 : 0), tokens: tokens + tokensIn + tokensOut, usd: spent + usd };
    }
  }

  #rest(type, data, at) {
    const { step, attemptId, waitId, decision } = data;
    if (type in endings) this.#outcome = data.outcome ?? endings[type];

    if (type === 'StepFailed' && at >= this.#failure.at) this.#failure = { attemptId, at, bucket: null };
    if (type === 'RetryDecided' && this.#failure.attemptId === attemptId) this.#failure.bucket = data.bucket;

    const isUnknown = this.ledger.effects[this.#keys.get(step)]?.status === 'unknown';
    if (type === 'StepStarted') this.#keys.delete(step);
    if (type === 'StepStarted' || type === 'StepSkipped' || type === 'RetryDecided') this.#owed.delete(step);
    if (type === 'StepFailed' || decision === 'retry') this.#owed.set(step, 'retry');
    if (decision === 'block' || decision === 'escalate') this.#owed.set(step, isUnknown ? 'effect_unknown' : 'awaiting_decision');

    if (type === 'EffectIntended') this.#keys.set(step, data.key);
    if (data.outputRef !== undefined) this.#references.add(step);
    if (type === 'WaitOpened') this.#opened.set(waitId, data) && this.#came.set(waitId, []);
    if (type === 'WaitTriggered')
      this.#came.get(waitId).push({ trigger: data.trigger, data: data.dataRef ?? data.data ?? null, at: data.at });
  }

  #outputOfWait(waitId, triggers) {
    const { mode, keepOpen } = this.#opened.get(waitId);
    const came = this.#came.get(waitId).filter(({ trigger }) => triggers.includes(trigger));
    return mode === 'any' && !keepOpen ? came[0] : came;
  }

  #outputDigest(step) {
    const { status, output } = this.path.steps[step];
    if (status !== 'succeeded') return null;
    return this.#references.has(step) ? output.artifact.slice('sha256:'.length) : digestOf(output);
  }

  /** State and sub-state: the first that holds. */
  #judge() {
    const attempts = Object.values(this.path.attempts);
    const owed = [...this.#owed.values()];
    const waits = Object.entries(this.path.waits).filter(([, { open }]) => open);
    const kinds = new Set(waits.flatMap(([waitId]) => this.#opened.get(waitId).triggers.map(({ kind }) => kind)));
    if (this.#outcome !== null) return ['complete', this.#outcome];
    if (this.path.run.paused) return ['blocked', 'paused'];
    for (const sub of ['effect_unknown', 'awaiting_decision']) if (owed.includes(sub)) return ['blocked', sub];
    if (attempts.some(({ n }) => n === 1)) return ['active'];
    if (attempts.length + owed.length > 0) return ['retrying', this.#failure.bucket];
    return waits.length === 0 ? ['active'] : ['waiting', [...kinds].sort().join('+')];
  }

  get digest() {
    const slices = Object.entries({ path: this.path, ledger: this.ledger }).flatMap(([half, named]) =>
      Object.entries(named).map(([name, entries]) => [`${half}.${name}`, entries]),
    );
    const sums = slices
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, entries]) => {
        let sum = 0n;
        for (const [key, value] of Object.entries(entries)) {
          const counted = name === 'path.steps' ? { ...value, output: this.#outputDigest(key) } : value;
          const isList = name === 'ledger.used' || name === 'ledger.late';
          sum += BigInt(`0x${digestOf([isList ? JSON.parse(key) : key, counted])}`);
        }
        return [name, (sum % (1n << 256n)).toString(16).padStart(64, '0')];
      });
    return sha256(canon(sums));
  }

  /** What `cairn run state --json` shows. */
  get view() {
    const { run, branch, revision, status, path, ledger, digest: stateDigest } = this;
    return { run, branch, revision, ...status, path, ledger, stateDigest };
  }
}
