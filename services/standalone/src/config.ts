import { homedir } from 'node:os';
import { isNamespace } from '@cairn/kernel';
import { ConfigInvalid } from '@cairn/nest-kit';
import { z } from 'zod';

/** Where a server listens and what it keeps, checked. */
export interface StandaloneConfig {
  /** Folder of everything that must survive; made if it is not there. */
  readonly data: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
  /** Namespaces that exist; the first is what CLI and SDK use by default. */
  readonly namespaces: readonly string[];
  /** Origins of web pages that may call. */
  readonly origins: readonly string[];
  readonly logLevel: string;
}

export interface StandaloneOptions {
  readonly data: string;
  readonly port?: number;
  readonly host?: string;
  readonly ns?: string | readonly string[];
  readonly origins?: readonly string[];
  readonly logLevel?: string;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
const DEFAULT_PORT = 4_300;
const PORT_MAX = 65_535;

const schema = z.strictObject({
  data: z.string().min(1, { error: 'must name a folder' }),
  port: z.number({ error: 'must be a number' }).int({ error: 'must be a whole number' }).min(0).max(PORT_MAX).default(DEFAULT_PORT),
  host: z.string().regex(LOOPBACK, { error: 'must be a loopback address: this server has one token and no TLS' }).default('127.0.0.1'),
  ns: z
    .union([z.string(), z.array(z.string())])
    .transform((ns) => (typeof ns === 'string' ? ns.split(',') : ns))
    .refine((list) => list.length > 0 && list.every(isNamespace), {
      error: 'must be namespaces (a-z, then a-z 0-9, at most 32), separated by commas',
    })
    .default(['default']),
  origins: z.array(z.url()).default([]),
  logLevel: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug']).default('info'),
});

/** Checks the options and fills in defaults. Throws `ConfigInvalid`, whose message names every fault. */
export function readConfig(options: StandaloneOptions): StandaloneConfig {
  const result = schema.safeParse(options);
  if (!result.success)
    throw new ConfigInvalid(result.error.issues.map(({ path, message }) => `${path.join('.') || 'options'}: ${message}`).join('; '));
  const { data, port, host, ns, origins, logLevel } = result.data;
  return { data: data.replace(/^~(?=\/|$)/, homedir()), port, host, namespaces: [...new Set(ns)], origins, logLevel };
}
