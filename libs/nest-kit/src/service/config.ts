import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isNamespace } from '@cairn/kernel';
import { z } from 'zod';
import { eventStoreNamed } from '../event-store.js';

/** sysexits.h EX_CONFIG: somebody must change something before a start can work. */
export const EXIT_CONFIG = 78;

/** The configuration is wrong: all of it, in one line. */
export class ConfigInvalid extends Error {
  readonly code = 'config_invalid';
  override readonly name = 'ConfigInvalid';
}

const PORT_MAX = 65_535;

const path = z
  .string()
  .min(1, { error: 'must name a file or folder' })
  .transform((text) => text.replace(/^~(?=\/|$)/, homedir()));
export const portEnv = z.coerce.number({ error: 'must be a number' }).int({ error: 'must be a whole number' }).min(0).max(PORT_MAX);
/** Namespaces separated by commas. */
export const namespacesEnv = z
  .string()
  .transform((text) => [...new Set(text.split(',').map((ns) => ns.trim()))])
  .refine((list) => list.length > 0 && list.every(isNamespace), {
    error: 'must be namespaces (a-z, then a-z 0-9, at most 32), separated by commas',
  });

/** What the environment says to every service, by name of the variable. */
export const serviceEnv = {
  /** Servers of the bus, separated by commas. */
  CAIRN_NATS_URL: z
    .string()
    .transform((text) => text.split(',').map((url) => url.trim()))
    .refine((urls) => urls.every((url) => /^(nats|tls|ws|wss):\/\/[^\s]+$/.test(url)), {
      error: 'must be nats://host:port, several by comma',
    })
    .default(['nats://127.0.0.1:4222']),
  /** File that holds an nkey's seed. */
  CAIRN_NATS_NKEY_SEED_FILE: path.optional(),
  CAIRN_NATS_USER: z.string().min(1).optional(),
  CAIRN_NATS_PASSWORD_FILE: path.optional(),
  CAIRN_NATS_TOKEN_FILE: path.optional(),
  /** PEM files. */
  CAIRN_NATS_TLS_CA: path.optional(),
  CAIRN_NATS_TLS_CERT: path.optional(),
  CAIRN_NATS_TLS_KEY: path.optional(),
  /** Of this user's answers, where it may not hear those of others. */
  CAIRN_NATS_INBOX_PREFIX: z
    .string()
    .regex(/^_INBOX(_[A-Za-z0-9]+)?(\.[A-Za-z0-9_-]+)*$/, { error: 'must begin with _INBOX and be tokens joined by dots' })
    .optional(),
  /** Folder of the token, of what may be lost, and, without EventStoreDB, of events and artifacts; processes of one machine share it. */
  CAIRN_DATA: path.default('./.cairn'),
  /** `libsql:<file>`, or the connection string of an EventStoreDB; without it the file in the data folder. */
  CAIRN_EVENT_STORE: z
    .string()
    .transform((text, context) => {
      try {
        return eventStoreNamed(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    })
    .optional(),
  /** File of the keys that links to callbacks are signed with, the same for all services; without it the one in the data folder. */
  CAIRN_CALLBACK_KEYS_FILE: path.optional(),
  CAIRN_NS: namespacesEnv.default(['default']),
  /** Where `/healthz`, `/readyz` and `/metrics` answer; port 0 takes a free one. */
  CAIRN_METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  CAIRN_METRICS_PORT: portEnv.default(0),
  CAIRN_LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug']).default('info'),
} as const;

const serviceSchema = z.object(serviceEnv);
export type ServiceConfig = Readonly<z.infer<typeof serviceSchema>>;

/** Reads the environment by a schema whose keys are names of variables. An empty variable counts as none. Throws `ConfigInvalid`. */
export function readEnv<T>(schema: z.ZodType<T>, env: NodeJS.ProcessEnv): Readonly<T> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  if (result.success) return Object.freeze(result.data);
  throw new ConfigInvalid(result.error.issues.map(({ path: at, message }) => `${at.join('.') || 'environment'}: ${message}`).join('; '));
}

/** A secret that lies in a file, without the line's end. Throws `ConfigInvalid`. */
export function secretOf(name: string, file: string): string {
  try {
    const secret = readFileSync(file, 'utf8').trim();
    if (secret !== '') return secret;
  } catch {
    // Said below: the same to whoever must mend it.
  }
  throw new ConfigInvalid(`${name}: ${file} holds nothing that this user may read`);
}
