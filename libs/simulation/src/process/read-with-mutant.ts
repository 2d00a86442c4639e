import type { StoredEvent } from '@cairn/kernel';
import type { World } from '../world/world.js';

/** The memory's part of the planted bugs: what a process forgets of an event when it reads again what it had known. */
export function readWithMutant(world: World, hasRestarted: boolean, event: StoredEvent): StoredEvent {
  const { type, at, causationId, data } = event;
  if (world.has('M-14') && hasRestarted && type === 'RetryDecided' && data['notBefore'] !== undefined)
    return { ...event, data: { ...data, notBefore: at } };
  // Without the reply that was accepted, a second delivery of it looks like another one that came too late.
  if (world.has('M-23') && type === 'StepSucceeded') return { ...event, causationId: `${causationId}/` };
  return event;
}
