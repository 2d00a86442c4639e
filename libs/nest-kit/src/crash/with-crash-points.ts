import type { onCrashPoint } from '@cairn/application';
import type { Bus, EventStore, Line } from '@cairn/ports';
import { busWithCrashPoints, lineWithCrashPoints } from './bus.js';
import { storeWithCrashPoints } from './store.js';
import { trapOf } from './trap.js';

/** The ports at which the hops of a message are seen. */
export interface CrashablePorts {
  readonly store: EventStore;
  readonly bus: Bus;
  readonly line?: Line;
}

/**
 * The ports of a service that dies where `CAIRN_CRASH_AT` says (`trapOf`). Where nothing is asked for, which is everywhere but in tests
 * that kill, these are the ports that were given. `listen` is the process's own `onCrashPoint`: this module lies outside of its bundle
 * and would find another.
 */
export function withCrashPoints<P extends CrashablePorts>(
  service: string,
  ports: P,
  env: NodeJS.ProcessEnv,
  listen: typeof onCrashPoint,
): P {
  const reached = trapOf(service, env);
  if (reached === undefined) return ports;
  listen(reached);
  return {
    ...ports,
    store: storeWithCrashPoints(ports.store, reached),
    bus: busWithCrashPoints(ports.bus, reached),
    ...(ports.line === undefined ? {} : { line: lineWithCrashPoints(ports.line, reached) }),
  };
}
