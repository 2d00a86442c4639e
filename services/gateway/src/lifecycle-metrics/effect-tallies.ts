import { metricNames } from '@cairn/contracts';
import { parseOccurrence, type RunEvent } from '@cairn/domain-run';
import type { Id, StoredEvent } from '@cairn/kernel';
import type { Metrics } from '@cairn/ports';
import { WorkflowLabels } from './workflow-labels.js';

/** Effects of which nobody knows whether they happened, also of runs that have ended; and what people did about them (C-M-STALE). */
export class EffectTallies {
  private labels = new WorkflowLabels();
  /** By run: the keys of its unknown effects. */
  private unknown = new Map<Id, { readonly ns: string; readonly workflow: string; readonly keys: Set<string> }>();
  /** Every namespace and workflow that ever had one: told as 0 once nothing is left. */
  private known = new Map<string, { readonly ns: string; readonly workflow: string }>();

  constructor(private readonly metrics: Metrics) {}

  /** Takes each event of a run once, in order. */
  apply(event: StoredEvent & RunEvent, run: Id, ns: string, name: string): void {
    switch (event.type) {
      case 'EffectUnknown':
        this.doubt(run, ns, name, event.data.key);
        break;
      case 'EffectConfirmed':
      case 'EffectAbsent':
        if (isSaid(event)) this.cleanUp(ns);
        this.clear(run, event.data.key);
        break;
      case 'EffectIntended':
        this.clear(run, event.data.key);
        break;
      case 'StepStarted':
        if (parseOccurrence(event.data.step).part === 'reconcile' && isByPerson(event)) this.cleanUp(ns);
        break;
      default:
    }
  }

  *entries(): Iterable<readonly [kind: string, key: string, value: unknown]> {
    yield ['workflow labels of effects', '', new Set(this.labels.all())];
    for (const [run, unknown] of this.unknown) yield ['unknown effects', run, unknown];
    for (const [key, known] of this.known) yield ['effects unknown before', key, known];
  }

  adopt({ labels, unknown, known }: EffectTallies): void {
    this.labels = labels;
    this.unknown = unknown;
    this.known = known;
  }

  tellGauges(): void {
    const counts = new Map([...this.known.keys()].map((key) => [key, 0]));
    for (const { ns, workflow, keys } of this.unknown.values()) {
      const key = `${ns} ${workflow}`;
      counts.set(key, (counts.get(key) ?? 0) + keys.size);
    }
    for (const [key, { ns, workflow }] of this.known)
      this.metrics.gauge(metricNames.effectsUnknown, counts.get(key) ?? 0, { ns, workflow });
  }

  private doubt(run: Id, ns: string, name: string, key: string): void {
    const workflow = this.labels.of(name);
    this.known.set(`${ns} ${workflow}`, { ns, workflow });
    const of = this.unknown.get(run) ?? { ns, workflow, keys: new Set<string>() };
    of.keys.add(key);
    this.unknown.set(run, of);
  }

  private clear(run: Id, key: string): void {
    const of = this.unknown.get(run);
    if (of?.keys.delete(key) === true && of.keys.size === 0) this.unknown.delete(run);
  }

  private cleanUp(ns: string): void {
    this.metrics.count(metricNames.manualCleanups, { ns, verb: 'reconcile' });
  }
}

/** A person says what happened: nothing else settles an effect in an append of its own. */
const isSaid = ({
  type,
  data,
  revision,
  metadata,
}: StoredEvent & Extract<RunEvent, { type: 'EffectConfirmed' | 'EffectAbsent' }>): boolean =>
  type === 'EffectConfirmed' ? data.by === 'person' : metadata.appendFirst === revision;

const isByPerson = ({ actor }: StoredEvent): boolean => actor.startsWith('user:');
