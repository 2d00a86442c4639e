import { Module, type DynamicModule } from '@nestjs/common';
import type { Folds } from '@cairn/application';
import type { Artifacts, Bus, CallbackTokens, Clock, EventStore, Ids, Line, Metrics, NamedArtifacts, Randomness } from '@cairn/ports';
import { ARTIFACTS, BUS, CALLBACK_TOKENS, CLOCK, DISPOSABLES, EVENT_STORE, FOLDS, IDS, LINE, METRICS, RANDOMNESS } from './tokens.js';

/** What a service is assembled from. */
export interface Ports {
  readonly store: EventStore;
  readonly bus: Bus;
  /** To the other processes; the embedded default has none. */
  readonly line?: Line;
  /** What events name. */
  readonly artifacts: Artifacts;
  /** What the history gives again: snapshots, checkpoints. */
  readonly disposables: NamedArtifacts;
  readonly callbackTokens: CallbackTokens;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomness: Randomness;
  readonly metrics: Metrics;
  /** Services put into it what they fold from the history. */
  readonly folds: Folds;
}

/**
 * The ports of one process, under their symbols. Not global: a service's module says that it stands on it, by
 * `SomeModule.on(PortsModule.of(ports))`. Give the same answer of `of` to all of them; Nest then makes one module of it.
 */
@Module({})
export class PortsModule {
  static of(ports: Ports): DynamicModule {
    const providers = [
      { provide: EVENT_STORE, useValue: ports.store },
      { provide: BUS, useValue: ports.bus },
      { provide: LINE, useValue: ports.line },
      { provide: ARTIFACTS, useValue: ports.artifacts },
      { provide: DISPOSABLES, useValue: ports.disposables },
      { provide: CALLBACK_TOKENS, useValue: ports.callbackTokens },
      { provide: CLOCK, useValue: ports.clock },
      { provide: IDS, useValue: ports.ids },
      { provide: RANDOMNESS, useValue: ports.randomness },
      { provide: METRICS, useValue: ports.metrics },
      { provide: FOLDS, useValue: ports.folds },
    ];
    return { module: PortsModule, providers, exports: providers };
  }
}
