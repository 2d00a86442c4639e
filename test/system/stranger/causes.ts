// Follows docs/reference/history.md and imports nothing of the product: derived ids, `causationId`, `actor`, and the checkpoints' digests.
import { appendsOf, id } from '../../../examples/read-the-history/checks.mjs';
import { digestOf, type Fields, type Recorded, type Value } from '../../../examples/read-the-history/encoding.mjs';
import { State } from '../../../examples/read-the-history/state.mjs';
import { fieldsOf } from './workflows.js';

/** Everything that a run's derived ids, causes and digests break; empty for a good one. */
export function faultsOfRun(runId: string, events: readonly Recorded[]): string[] {
  const faults: string[] = [];
  const expect = (at: Recorded, what: string, got: Value | undefined, wanted: Value | undefined): void => {
    if (got !== wanted) faults.push(`@${at.revision} ${at.type}: ${what} is ${String(got)}, not ${String(wanted)}`);
  };
  const folded = new State();
  const idOf = (type: string, field: string, value: Value | undefined): Value | undefined =>
    events.find((event) => event.type === type && event.data[field] === value)?.metadata['eventId'];
  const { ns, workflow } = events[0]?.data ?? {};

  for (const event of events) {
    const { type, data } = event;
    const { step, waitId, trigger } = data;
    switch (type) {
      case 'RunStarted': {
        const { receiptId, source, id: eventId } = data['cause'] as Fields;
        expect(event, 'receiptId', receiptId, id('receipt', ns ?? '', source ?? '', eventId ?? ''));
        const byKey = data['key'] === undefined ? undefined : id('run', ns ?? '', workflow ?? '', data['key']);
        if (runId !== byKey) expect(event, 'runId', runId, id('run-event', ns ?? '', workflow ?? '', source ?? '', eventId ?? ''));
        break;
      }
      case 'WaitOpened':
        expect(event, 'waitId', waitId, id('wait', runId, step ?? ''));
        break;
      case 'WaitTriggered': {
        const { source, id: eventId } = data;
        const derived = source === undefined ? id('timer', waitId ?? '', trigger ?? 0) : id('receipt', ns ?? '', source, eventId ?? '');
        expect(event, 'eventId', data['eventId'], derived);
        break;
      }
      case 'EventEmitted':
        expect(event, 'eventId', data['eventId'], id('emit', runId, 'main', step ?? ''));
        break;
      case 'EffectIntended': {
        const input = events.find((started) => started.type === 'StepStarted' && started.data['attemptId'] === data['attemptId'])?.data[
          'input'
        ];
        expect(event, 'fingerprint', data['fingerprint'], fingerprint(String(step), input ?? null));
        break;
      }
      case 'ReviewRequested':
        expect(event, 'reviewId', data['reviewId'], id('review', runId, 'main', step ?? '', data['n'] ?? 0));
        break;
      case 'CheckpointReached':
        expect(event, 'stateDigest', data['stateDigest'], folded.digest);
        break;
    }
    folded.apply(event);
  }

  for (const append of appendsOf(events)) {
    const [event] = append;
    if (event === undefined) continue;
    const { type, data, metadata } = event;
    const { attemptId, waitId } = data;
    const failure = (data['failure'] ?? {}) as Fields;
    let actor: RegExp = /^service:scheduling$/;
    let cause: Value | undefined;
    if (type === 'RunStarted') cause = (data['cause'] as Fields)['receiptId'];
    else if (append.some((one) => /^Run(Paused|Unpaused|Cancelled)$/.test(one.type))) {
      cause = metadata['causationId']; // A receipt, which is looked up elsewhere.
      actor = /^user:local$/;
    } else if (type === 'VerdictApplied' || type === 'ReviewEscalated') {
      cause = metadata['causationId']; // An event of the review's own stream, which is looked up elsewhere.
      actor = /^(user:local|service:human-review)$/;
    } else if (type === 'AttemptTaken') {
      cause = `${String(attemptId)}:claim`;
      actor = /^handler:./;
    } else if (type === 'StepFailed' && (failure['by'] === 'lease' || failure['by'] === 'timeout')) {
      cause = idOf('StepStarted', 'attemptId', attemptId);
      actor = /^service:execution$/;
    } else if (type === 'StepSucceeded' || type === 'StepFailed' || type === 'LateResultRecorded') {
      cause = `${String(attemptId)}:end`;
      actor = /^handler:./;
    } else if (type === 'RetryDecided') {
      const { name, version } = data['policy'] as Fields;
      cause = idOf('StepFailed', 'attemptId', attemptId);
      actor = new RegExp(`^policy:${String(name)}@${String(version)}$`);
    } else if (type === 'StepStarted')
      cause = events.findLast(
        (earlier) => earlier.type === 'RetryDecided' && earlier.revision < event.revision && earlier.data['step'] === data['step'],
      )?.metadata['eventId'];
    else if (type === 'WaitTriggered' && data['source'] !== undefined) cause = data['eventId'];
    else cause = idOf('WaitOpened', 'waitId', waitId);
    expect(event, 'causationId', metadata['causationId'], cause);
    if (!actor.test(String(metadata['actor']))) faults.push(`@${event.revision} ${type}: actor is ${String(metadata['actor'])}`);
  }
  return faults;
}

/** Over the fields that the definition names, what is not there as null; else over the whole input. */
function fingerprint(step: string, input: Value): string {
  const fields = fieldsOf[step] ?? [''];
  return digestOf(
    fields.map((pointer) => {
      let value: Value | undefined = input;
      for (const part of pointer.split('/').slice(1))
        value = (value as Fields | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')];
      return [pointer, value ?? null];
    }),
  );
}
