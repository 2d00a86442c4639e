// Follows docs/reference/history.md and imports nothing of the product: "State and digest, digest version 1".
import type { Recorded } from './chain.js';
import { canon, digestOf, sha256, type Fields, type Value } from './encoding.js';

type Slice = Record<string, Fields>;

const outcomes: Readonly<Record<string, string>> = { RunFailed: 'failed', RunGaveUp: 'gave_up', RunCancelled: 'cancelled' };
const isHeld = (decision: Value | undefined): boolean => decision === 'block' || decision === 'escalate';

/** One branch of a run, folded event by event. */
export class Folded {
  readonly path = {
    run: {} as Fields,
    steps: {} as Slice,
    attempts: {} as Slice,
    waits: {} as Slice,
    retries: {} as Slice,
    checkpoints: {} as Fields,
  };
  readonly ledger = { used: {} as Fields, spend: {} as Slice, late: {} as Fields, effects: {} as Slice, branches: {} as Slice };
  /** Step -> what its last failed attempt is owed. */
  private readonly owed = new Map<string, Value>();
  private readonly kinds = new Map<string, Value[]>();
  private readonly got = new Map<string, Fields[]>();
  private readonly single = new Set<string>();
  /** Steps whose output is an artifact: a value may look like a reference and is none. */
  private readonly byReference = new Set<string>();
  private outcome: string | undefined;
  /** Step -> the key of its effect. */
  private readonly keys = new Map<string, string>();
  /** Steps that an operator must look at since nobody knows what they did. */
  private readonly inDoubt = new Set<string>();

  constructor(readonly branch: string) {}

  apply({ type, data }: Recorded): void {
    const step = String(data['step']);
    const attemptId = String(data['attemptId']);
    const waitId = String(data['waitId']);
    const key = String(data['key']);
    switch (type) {
      case 'RunStarted':
        this.path.run = { goal: data['goal'] ?? null, input: data['input'] ?? null, paused: false };
        this.ledger.branches[this.branch] = { ended: false, epoch: 1, head: true };
        break;
      case 'StepStarted':
        this.path.steps[step] = { status: 'active', attempts: data['attempt'] ?? 0, output: null };
        this.path.attempts[attemptId] = { step, n: data['attempt'] ?? 0, taken: false };
        this.spend(step, 1, {});
        this.owed.delete(step);
        break;
      case 'AttemptTaken':
        this.path.attempts[attemptId] = { ...this.path.attempts[attemptId], taken: true };
        break;
      case 'StepSucceeded':
        delete this.path.attempts[attemptId];
        this.settle(step, 'succeeded', data['outputRef'] ?? data['output'] ?? null);
        if (data['outputRef'] !== undefined) this.byReference.add(step);
        this.spend(step, 0, data['usage']);
        break;
      case 'StepFailed':
        delete this.path.attempts[attemptId];
        this.path.steps[step] = { ...this.path.steps[step], status: 'failed' };
        this.spend(step, 0, data['usage']);
        this.owed.set(step, 'retry');
        break;
      case 'EffectIntended':
        this.ledger.effects[key] = {
          suffix: data['suffix'] ?? null,
          status: 'intended',
          fingerprint: data['fingerprint'] ?? null,
          result: null,
        };
        this.keys.set(step, key);
        break;
      case 'EffectConfirmed':
        this.ledger.effects[key] = {
          ...this.ledger.effects[key],
          status: 'confirmed',
          result: this.outputDigest(step, this.path.steps[step] ?? {}),
        };
        break;
      case 'EffectAbsent':
      case 'EffectUnknown':
        this.ledger.effects[key] = { ...this.ledger.effects[key], status: type === 'EffectAbsent' ? 'absent' : 'unknown' };
        break;
      case 'RunPaused':
      case 'RunUnpaused':
        this.path.run['paused'] = type === 'RunPaused';
        break;
      case 'RetryDecided':
        this.path.retries[attemptId] = { decision: data['decision'] ?? null, notBefore: data['notBefore'] ?? null };
        if (data['decision'] === 'give_up') this.owed.delete(step);
        else this.owed.set(step, data['decision'] ?? null);
        if (isHeld(data['decision']) && this.ledger.effects[this.keys.get(step) ?? '']?.['status'] === 'unknown') this.inDoubt.add(step);
        break;
      case 'StepSkipped':
        this.settle(step, 'skipped', null);
        this.owed.delete(step);
        break;
      case 'LateResultRecorded':
        this.ledger.late[canon([attemptId, data['replyId'] ?? null])] = true;
        this.spend(step, 0, data['usage']);
        break;
      case 'EventEmitted':
        this.settle(step, 'succeeded', { eventId: data['eventId'] ?? null });
        break;
      case 'CheckpointReached':
        this.path.checkpoints[String(data['name'])] = data['kind'] ?? null;
        break;
      case 'WaitOpened':
        this.path.steps[step] = { status: 'waiting', attempts: 0, output: null };
        this.path.waits[waitId] = { step, open: true, got: [] };
        this.kinds.set(
          waitId,
          ((data['triggers'] ?? []) as Fields[]).map(({ kind }) => kind ?? null),
        );
        this.got.set(waitId, []);
        if (data['mode'] === 'any' && data['keepOpen'] === false) this.single.add(waitId);
        break;
      case 'WaitTriggered':
        this.got
          .get(waitId)
          ?.push({ trigger: data['trigger'] ?? null, data: data['dataRef'] ?? data['data'] ?? null, at: data['at'] ?? null });
        this.path.waits[waitId] = {
          ...this.path.waits[waitId],
          got: [...((this.path.waits[waitId]?.['got'] ?? []) as Value[]), data['eventId'] ?? null],
        };
        this.ledger.used[canon([step, data['eventId'] ?? null])] = true;
        break;
      case 'WaitSatisfied': {
        const came = (this.got.get(waitId) ?? []).filter(({ trigger }) => (data['triggers'] as Value[]).includes(trigger ?? null));
        this.close(waitId);
        this.settle(step, 'succeeded', this.single.has(waitId) ? (came[0] ?? null) : came);
        break;
      }
      case 'WaitExpired': {
        const then = data['then'] as Fields;
        this.close(waitId);
        if ('value' in then) this.settle(step, 'succeeded', then['value'] ?? null);
        if ('step' in then) this.settle(step, 'succeeded', { trigger: 'deadline' });
        break;
      }
      case 'WaitWithdrawn':
        this.close(waitId);
        break;
      case 'RunCompleted':
      case 'RunFailed':
      case 'RunGaveUp':
      case 'RunCancelled':
        this.path.attempts = {};
        this.ledger.branches[this.branch] = { ended: true, epoch: 1, head: true };
        this.outcome = type === 'RunCompleted' ? String(data['outcome']) : (outcomes[type] ?? '');
        break;
    }
  }

  get digest(): string {
    const plain = (entries: Fields | Slice): [Value, Value][] => Object.entries(entries);
    const lists = (entries: Fields): [Value, Value][] => Object.entries(entries).map(([key, value]) => [JSON.parse(key) as Value, value]);
    const { path, ledger } = this;
    const steps = Object.entries(path.steps).map(([step, entry]): [Value, Value] => [
      step,
      { ...entry, output: this.outputDigest(step, entry) },
    ]);
    const slices: Record<string, [Value, Value][]> = {
      'path.run': plain(path.run),
      'path.steps': steps,
      'path.attempts': plain(path.attempts),
      'path.waits': plain(path.waits),
      'path.retries': plain(path.retries),
      'path.checkpoints': plain(path.checkpoints),
      'ledger.used': lists(ledger.used),
      'ledger.spend': plain(ledger.spend),
      'ledger.late': lists(ledger.late),
      'ledger.branches': plain(ledger.branches),
      'path.assumptions': [],
      'path.carried': [],
      'path.plans': [],
      'path.reviews': [],
      'path.scope': [],
      'ledger.effects': plain(ledger.effects),
      'ledger.notifications': [],
    };
    const sum = (entries: [Value, Value][]): string =>
      (entries.reduce((total, entry) => total + BigInt(`0x${digestOf(entry)}`), 0n) % (1n << 256n)).toString(16).padStart(64, '0');
    return sha256(
      canon(
        Object.keys(slices)
          .sort()
          .map((name) => [name, sum(slices[name] ?? [])]),
      ),
    );
  }

  /** State and sub-state as the reference names them; the sub-state of `retrying` is the policy's word and not told here. */
  get status(): { state: string; sub?: string } {
    const owed = [...this.owed.values()];
    const open = Object.values(this.path.attempts).map(({ n }) => n);
    const waits = Object.entries(this.path.waits).filter(([, { open: isOpen }]) => isOpen === true);
    if (this.outcome !== undefined) return { state: 'complete', sub: this.outcome };
    if (this.path.run['paused'] === true) return { state: 'blocked', sub: 'paused' };
    if (owed.some(isHeld)) return { state: 'blocked', sub: this.inDoubt.size > 0 ? 'effect_unknown' : 'awaiting_decision' };
    if (open.includes(1)) return { state: 'active' };
    if (open.length + owed.length > 0) return { state: 'retrying' };
    if (waits.length === 0) return { state: 'active' };
    return { state: 'waiting', sub: [...new Set(waits.flatMap(([waitId]) => this.kinds.get(waitId) ?? []))].map(String).sort().join('+') };
  }

  /** What has not succeeded has no output; null as an output is one. */
  private outputDigest(step: string, { status, output }: Fields): Value {
    if (status !== 'succeeded') return null;
    return this.byReference.has(step) ? String((output as Fields)['artifact']).slice('sha256:'.length) : digestOf(output ?? null);
  }

  private settle(step: string, status: string, output: Value): void {
    this.path.steps[step] = { status, attempts: this.path.steps[step]?.['attempts'] ?? 0, output };
  }

  private close(waitId: string): void {
    this.path.waits[waitId] = { ...this.path.waits[waitId], open: false };
  }

  private spend(step: string, attempts: number, usage: Value | undefined): void {
    const { usd = 0, tokensIn = 0, tokensOut = 0 } = (usage ?? {}) as Record<string, number>;
    for (const name of [step, '']) {
      const before = (this.ledger.spend[name] ?? {}) as Record<string, number>;
      this.ledger.spend[name] = {
        attempts: (before['attempts'] ?? 0) + attempts,
        tokens: (before['tokens'] ?? 0) + tokensIn + tokensOut,
        usd: (before['usd'] ?? 0) + usd,
      };
    }
  }
}
