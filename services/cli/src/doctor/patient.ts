import { dataFolder, natsAccess, type NatsAccess, type NatsOptions } from '../bus/nats-access.js';
import { Client } from '../client.js';
import type { CommonOptions } from '../shell.js';

export interface DoctorOptions extends CommonOptions, NatsOptions {
  readonly monitor?: string;
}

/** What is looked at, and how it is reached. */
export interface Patient {
  readonly env: NodeJS.ProcessEnv;
  readonly data: string;
  readonly ns: string;
  /** Of the gateway. */
  readonly url: string;
  readonly nats: NatsAccess;
  /** Something says that there is a nats-server; else this is the embedded default, whose bus is memory. */
  readonly stack: boolean;
  /** Base URL of the nats-server's monitoring, where it is named. */
  readonly monitor?: string;
}

/** Throws a `Refusal` if the configuration contradicts itself. */
export function patientOf(options: DoctorOptions, env: NodeJS.ProcessEnv): Patient {
  const nats = natsAccess(options, env);
  const { url, ns } = new Client(options, env).connection;
  return {
    env,
    data: dataFolder(options, env),
    ns,
    url,
    nats,
    stack: nats.origin !== 'default',
    ...(options.monitor === undefined ? {} : { monitor: options.monitor }),
  };
}

/** What starts the services again. */
export const startCommand = ({ stack }: Patient): string => (stack ? 'npm run stack' : 'npx cairn dev');
