import type { RecordedRunEvent } from '@cairn/domain-run';
import { runStream, type Id, type StoredEvent } from '@cairn/kernel';
import type { Finding } from './finding.js';
import type { EffectServer, TargetRequest } from './world/effect-server.js';

type Runs = ReadonlyMap<Id, ReadonlyMap<string, readonly StoredEvent[]>>;

/** What a run's history says of its effects. */
interface Told {
  /** Attempt -> key as it is sent. */
  readonly sent: Map<Id, string>;
  readonly granted: Set<Id>;
  readonly absent: Set<Id>;
  /** Attempts after which nobody knew, of effects that must not go out again. */
  readonly unknown: Set<Id>;
  readonly confirmed: Set<string>;
}

/**
 * E-2, by the target's own books: nothing is booked twice, everything that is confirmed is booked, what is called absent is not, and
 * who does not honour keys is never asked again on a guess.
 */
export function wrongEffects({ requests, bookings }: Pick<EffectServer, 'requests' | 'bookings'>, runs: Runs): Finding[] {
  const findings: Finding[] = [];
  const wrong = (run: Id, says: string): void => void findings.push({ check: 'E-2', says: `${runStream(run, 'main')}: ${says}` });
  const booked = groupedBy(bookings);
  for (const ofStep of booked.values()) {
    const [first] = ofStep;
    if (first !== undefined && ofStep.length > 1) wrong(first.run, `${first.step} is booked ${ofStep.length} times`);
  }
  for (const [run, branches] of runs) {
    const told = toldOf([...branches.values()].flat());
    for (const step of told.confirmed) if (!booked.has(`${run} ${step}`)) wrong(run, `the effect of ${step} is confirmed and not booked`);
    // An attempt that needs no claim may be with two handlers at once: only what must be claimed is absent for certain.
    for (const { attemptId, step, honours } of bookings)
      if (!honours && told.absent.has(attemptId)) wrong(run, `attempt ${attemptId} of ${step} is called absent and has booked`);
    checkRequests(
      requests.filter((request) => request.run === run),
      told,
      (says) => wrong(run, says),
    );
  }
  return findings;
}

function checkRequests(requests: readonly TargetRequest[], told: Told, wrong: (says: string) => void): void {
  const asked = new Set<Id>();
  const blocked = new Map<string, Id>();
  for (const { attemptId, key, step, honours } of requests) {
    if (told.sent.get(attemptId) !== key)
      wrong(`${step} is sent under ${key}, and its attempt ${attemptId} intends ${told.sent.get(attemptId) ?? 'nothing'}`);
    if (honours) continue;
    if (!told.granted.has(attemptId)) wrong(`${step} is asked for by attempt ${attemptId}, which was never granted`);
    if (asked.has(attemptId)) wrong(`${step} is asked for twice by attempt ${attemptId}`);
    const before = blocked.get(step);
    if (before !== undefined && before !== attemptId) wrong(`${step} is asked for again after attempt ${before}, of which nobody knows`);
    asked.add(attemptId);
    if (told.unknown.has(attemptId)) blocked.set(step, attemptId);
  }
}

function toldOf(stored: readonly StoredEvent[]): Told {
  const told: Told = { sent: new Map(), granted: new Set(), absent: new Set(), unknown: new Set(), confirmed: new Set() };
  for (const event of stored as readonly unknown[] as readonly RecordedRunEvent[]) {
    switch (event.type) {
      case 'EffectIntended': {
        const { attemptId, key, suffix } = event.data;
        told.sent.set(attemptId, suffix === 0 ? key : `${key}#${suffix}`);
        break;
      }
      case 'AttemptTaken':
        told.granted.add(event.data.attemptId);
        break;
      case 'EffectAbsent':
        told.absent.add(event.data.attemptId);
        told.unknown.delete(event.data.attemptId); // Somebody has found out.
        break;
      case 'EffectUnknown':
        told.unknown.add(event.data.attemptId);
        break;
      case 'EffectConfirmed':
        told.confirmed.add(event.data.step);
        break;
      default:
    }
  }
  return told;
}

function groupedBy(requests: readonly TargetRequest[]): Map<string, TargetRequest[]> {
  const groups = new Map<string, TargetRequest[]>();
  for (const request of requests) {
    const group = `${request.run} ${request.step}`;
    groups.set(group, [...(groups.get(group) ?? []), request]);
  }
  return groups;
}
