import { shownStore } from '@cairn/nest-kit/event-store';
import { storeOf } from '../bus/open-store.js';
import { withoutPassword } from '../bus/nats-access.js';
import type { Patient } from './patient.js';

/** One setting with where it comes from. What is secret is not shown. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  readonly origin: 'environment' | 'flag' | 'server.json' | 'default';
}

const SECRET = '(secret)';

/** Settings that take effect without being given, as the services read them. */
const defaults: Readonly<Record<string, string>> = {
  CAIRN_HOST: '127.0.0.1',
  CAIRN_PORT: '4300',
  CAIRN_METRICS_HOST: '127.0.0.1',
  CAIRN_METRICS_PORT: '0',
  CAIRN_LOG_LEVEL: 'info',
};

/** What services, SDK and command line read, and nothing else under `CAIRN_`. */
export const known = [
  ...Object.keys(defaults),
  'CAIRN_URL',
  'CAIRN_TOKEN',
  'CAIRN_TOKEN_FILE',
  'CAIRN_TOKENS_FILE',
  'CAIRN_CALLBACK_KEYS_FILE',
  'CAIRN_DATA',
  'CAIRN_NS',
  'CAIRN_HOSTS',
  'CAIRN_ORIGINS',
  'CAIRN_EVENT_STORE',
  'CAIRN_NATS_URL',
  'CAIRN_NATS_NKEY_SEED_FILE',
  'CAIRN_NATS_USER',
  'CAIRN_NATS_PASSWORD_FILE',
  'CAIRN_NATS_TOKEN_FILE',
  'CAIRN_NATS_TLS_CA',
  'CAIRN_NATS_TLS_CERT',
  'CAIRN_NATS_TLS_KEY',
  'CAIRN_NATS_INBOX_PREFIX',
] as const;

/** Read by the tools and tests of the repository alone, and by the shipped configuration of nats-server. */
const FOR_TOOLS =
  /^CAIRN_(NATS_SERVER|NATS_PORT|NATS_STORE|NKEY_[A-Z_]+|NOT_RUN_FILE|CRASH_AT|MUTANT|BENCH|DEMO|SEED|CHAOS|STACK|CI|TEST_ESDB)[A-Z_]*$/;

/** Every setting that has a value, in the order of the list: flags before the environment before files before defaults. */
export function configuration(patient: Patient): readonly Setting[] {
  const { env, url, ns, data, nats } = patient;
  const from = (name: string): Setting['origin'] => ((env[name] ?? '') === '' ? 'default' : 'environment');
  const found: Record<string, Setting> = {
    CAIRN_URL: { name: 'CAIRN_URL', value: url, origin: from('CAIRN_URL') },
    CAIRN_NS: { name: 'CAIRN_NS', value: ns, origin: from('CAIRN_NS') },
    CAIRN_DATA: { name: 'CAIRN_DATA', value: data, origin: from('CAIRN_DATA') },
    CAIRN_EVENT_STORE: { name: 'CAIRN_EVENT_STORE', value: shownStore(storeOf(data, env)), origin: storeOrigin(patient) },
    CAIRN_NATS_URL: { name: 'CAIRN_NATS_URL', value: natsSays(patient), origin: natsOrigins[nats.origin] },
  };
  return known.flatMap((name): Setting[] => {
    const given = env[name] ?? '';
    const setting = found[name];
    if (setting !== undefined) return [setting];
    if (given !== '') return [{ name, value: name === 'CAIRN_TOKEN' ? SECRET : given, origin: 'environment' }];
    const value = defaults[name];
    return value === undefined ? [] : [{ name, value, origin: 'default' }];
  });
}

/** Without the variable, an EventStoreDB is known from the gateway alone. */
const storeOrigin = ({ env, data }: Patient): Setting['origin'] => {
  if ((env['CAIRN_EVENT_STORE'] ?? '') !== '') return 'environment';
  return storeOf(data, env).kind === 'esdb' ? 'server.json' : 'default';
};

const natsOrigins = { '--nats': 'flag', CAIRN_NATS_URL: 'environment', 'server.json': 'server.json', default: 'default' } as const;
const natsSays = ({ stack, nats }: Patient): string => (stack ? withoutPassword(nats.url) : 'none: the bus is memory');

/** Variables that begin like ours and that nobody reads, each with the one that it looks like. */
export function unknownVariables(env: NodeJS.ProcessEnv): readonly { readonly name: string; readonly meant?: string }[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('CAIRN_') && !(known as readonly string[]).includes(name) && !FOR_TOOLS.test(name))
    .sort()
    .map((name) => {
      const meant = known.find((other) => sameLetters(name, other));
      return meant === undefined ? { name } : { name, meant };
    });
}

/** Swapped letters are the commonest slip, and need no distance to be found. */
const sameLetters = (a: string, b: string): boolean => sorted(a) === sorted(b);
const sorted = (text: string): string => [...text].sort().join('');
