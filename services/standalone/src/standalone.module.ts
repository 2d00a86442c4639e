import type { AddressInfo } from 'node:net';
import { Module, type DynamicModule } from '@nestjs/common';
import { EXECUTION, executionBindings, ExecutionModule, WORK_DESK, type Execution } from '@cairn/execution';
import { GATEWAY, GatewayModule, ProblemFilter, type Exposition, type Gateway, type GatewayConfig } from '@cairn/gateway';
import { humanReviewBindings, HumanReviewModule } from '@cairn/human-review';
import { retryPolicyBindings, RetryPolicyModule } from '@cairn/retry-policy';
import { schedulingBindings, SchedulingModule } from '@cairn/scheduling';
import { BusStrategy, createHttpApplication, PortsModule, type Health, type Log, type Ports } from '@cairn/nest-kit';

export interface ApplicationParts {
  readonly ports: Ports;
  readonly config: GatewayConfig;
  readonly health: Health;
  readonly exposition: Exposition;
  readonly onBug: (error: unknown) => void;
  readonly log: Log;
}

export interface Application {
  /** Starts the services, then takes connections; gives the URL. */
  listen(port: number, host: string): Promise<string>;
  close(): Promise<void>;
}

/** All services in one Nest application: the composition root of the embedded default. */
@Module({})
export class StandaloneModule {
  static of({ ports, config, health, exposition, onBug }: Omit<ApplicationParts, 'log'>): DynamicModule {
    const on = PortsModule.of(ports);
    const execution = ExecutionModule.on(on);
    return {
      module: StandaloneModule,
      imports: [
        RetryPolicyModule.on(on, { namespaces: config.namespaces }),
        execution,
        SchedulingModule.on(on),
        HumanReviewModule.on(on),
        GatewayModule.on(on, { config, desk: { module: execution, token: WORK_DESK }, health, exposition, onBug }),
      ],
    };
  }
}

export async function openApplication({ log, ...parts }: ApplicationParts): Promise<Application> {
  const app = await createHttpApplication(StandaloneModule.of(parts), {
    log,
    edge: GATEWAY,
    filter: (edge) => new ProblemFilter(edge as Gateway),
  });
  const bindings = () => [
    ...retryPolicyBindings,
    ...executionBindings(app.get<Execution>(EXECUTION, { strict: false })),
    ...schedulingBindings,
    ...humanReviewBindings,
  ];
  app.connectMicroservice({ strategy: new BusStrategy(parts.ports.bus, bindings) });
  return {
    listen: async (port, host) => {
      await app.init();
      await app.startAllMicroservices();
      await app.listen(port, host);
      const { port: taken, address, family } = app.getHttpServer().address() as AddressInfo;
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
    },
    close: () => app.close(),
  };
}
