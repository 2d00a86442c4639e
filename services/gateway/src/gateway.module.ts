import { Inject, Module, type BeforeApplicationShutdown, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import type { Folds } from '@cairn/application';
import type { WorkDesk } from '@cairn/contracts';
import { ARTIFACTS, BUS, CALLBACK_TOKENS, CLOCK, EVENT_STORE, FOLDS, Health, IDS, LINE, METRICS, RANDOMNESS } from '@cairn/nest-kit';
import type { Artifacts, Bus, CallbackTokens, Clock, EventStore, Ids, Line, Metrics, Randomness } from '@cairn/ports';
import { assembleGateway, type Gateway, type GatewayConfig } from './assemble.js';
import { ArtifactsDoor } from './doors/artifacts.door.js';
import { BundlesDoor } from './doors/bundles.door.js';
import { CallbacksDoor } from './doors/callbacks.door.js';
import { DefinitionsDoor } from './doors/definitions.door.js';
import { DoctorDoor } from './doors/doctor.door.js';
import { EventsDoor } from './doors/events.door.js';
import { EXPOSITION, GATEWAY, type Exposition } from './doors/gateway-token.js';
import { HealthDoor } from './doors/health.door.js';
import { PoliciesDoor } from './doors/policies.door.js';
import { ReviewsDoor } from './doors/reviews.door.js';
import { RunsDoor } from './doors/runs.door.js';
import { WorkDoor } from './doors/work.door.js';

export interface GatewayModuleOptions {
  readonly config: GatewayConfig;
  /** The desk itself, or the module that provides execution's and under what. */
  readonly desk: WorkDesk | { readonly module: DynamicModule; readonly token: symbol };
  readonly health: Health;
  readonly exposition: Exposition;
  readonly onBug: (error: unknown) => void;
}

const GIVEN_DESK: unique symbol = Symbol('GivenDesk');
/** Lists that are further behind make the process unready: a start folds what was stored before. */
const LISTS_LAG_MS_MAX = 5_000;

/** The gateway as a Nest module: ports in, doors out. */
@Module({})
export class GatewayModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(GATEWAY) private readonly gateway: Gateway,
    @Inject(Health) private readonly health: Health,
  ) {}

  /** `ports`: the module that provides the ports. */
  static on(ports: DynamicModule, { config, desk, health, exposition, onBug }: GatewayModuleOptions): DynamicModule {
    const given = 'module' in desk ? undefined : { provide: GIVEN_DESK, useValue: desk };
    return {
      module: GatewayModule,
      imports: 'module' in desk ? [ports, desk.module] : [ports],
      controllers: [
        CallbacksDoor,
        RunsDoor,
        BundlesDoor,
        DoctorDoor,
        EventsDoor,
        ArtifactsDoor,
        DefinitionsDoor,
        PoliciesDoor,
        ReviewsDoor,
        WorkDoor,
        HealthDoor,
      ],
      providers: [
        ...(given === undefined ? [] : [given]),
        { provide: Health, useValue: health },
        { provide: EXPOSITION, useValue: exposition },
        {
          provide: GATEWAY,
          inject: [
            EVENT_STORE,
            BUS,
            LINE,
            ARTIFACTS,
            CALLBACK_TOKENS,
            CLOCK,
            IDS,
            RANDOMNESS,
            METRICS,
            FOLDS,
            'module' in desk ? desk.token : GIVEN_DESK,
          ],
          useFactory: (
            store: EventStore,
            bus: Bus,
            line: Line | undefined,
            artifacts: Artifacts,
            callbackTokens: CallbackTokens,
            clock: Clock,
            ids: Ids,
            randomness: Randomness,
            metrics: Metrics,
            folds: Folds,
            workDesk: WorkDesk,
          ): Gateway =>
            assembleGateway({
              store,
              bus,
              artifacts,
              callbackTokens,
              clock,
              ids,
              randomness,
              metrics,
              folds,
              desk: workDesk,
              config,
              onBug,
              ...(line === undefined ? {} : { line }),
            }),
        },
      ],
      exports: [GATEWAY],
    };
  }

  /** Lists may still catch up when the first request comes; what reads a run reads the store. */
  onApplicationBootstrap(): void {
    this.health.add('lists', () => (this.gateway.lagMs() > LISTS_LAG_MS_MAX ? 'behind the store' : undefined));
    this.gateway.start();
  }

  /** Before connections are closed: who is held gets an answer. */
  beforeApplicationShutdown(): Promise<void> {
    return this.gateway.stop();
  }
}
