// `deploy/compose` without a container engine: what can be known of it by reading. Every variable of a service is known to its
// configuration and accepted by it, every required one set; users, secrets, ports, volumes and dependencies fit together.
import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nkeyVariable, serviceUsers } from '@cairn/contracts';
import { Problems, readDocument } from '@cairn/domain-definition';
import { executionEnv } from '@cairn/execution';
import { gatewayEnv } from '@cairn/gateway';
import { humanReviewEnv } from '@cairn/human-review';
import { readEnv, serviceEnv } from '@cairn/nest-kit';
import { retryPolicyEnv } from '@cairn/retry-policy';
import { schedulingEnv } from '@cairn/scheduling';
import { known } from '../../services/cli/src/doctor/configuration.js';
import { root } from './cruise.js';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly string[];
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly restart?: string;
  readonly profiles?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Scraping {
  readonly scrape_configs: readonly {
    readonly dns_sd_configs?: readonly { readonly names: readonly string[]; readonly port: number }[];
    readonly static_configs?: readonly { readonly targets: readonly string[] }[];
    readonly authorization?: { readonly credentials_file: string };
  }[];
}

const FOLDER = join(root, 'deploy/compose');
const text = readFileSync(join(FOLDER, 'compose.yaml'), 'utf8');
const compose = parsed<Compose>(text);
const scraping = parsed<Scraping>(readFileSync(join(FOLDER, 'prometheus.yml'), 'utf8'));
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image === 'cairn:local');
/** Those that talk to the nats-server. */
const onBus = ours.filter(([name]) => name !== 'store-apply');

/** What reads each service's environment. The command line has no schema of its own: it reads what every service reads. */
const schemas = {
  execution: executionEnv,
  scheduling: schedulingEnv,
  'retry-policy': retryPolicyEnv,
  'human-review': humanReviewEnv,
  gateway: gatewayEnv,
} as const;
const variablesOf = (name: string): readonly string[] =>
  name in schemas ? Object.keys(schemas[name as keyof typeof schemas].shape) : Object.keys(serviceEnv);

function parsed<T>(yaml: string): T {
  const problems = new Problems();
  const document = readDocument(yaml, 'yaml', problems);
  expect(problems.errors).toEqual([]);
  return document as T;
}

const dependenciesOf = ({ depends_on = [] }: Service): readonly (readonly [name: string, condition: string])[] =>
  Array.isArray(depends_on)
    ? (depends_on as readonly string[]).map((name) => [name, 'service_started'] as const)
    : Object.entries(depends_on as Readonly<Record<string, { condition: string }>>).map(
        ([name, { condition }]) => [name, condition] as const,
      );

describe('deploy/compose/compose.yaml', () => {
  it('has every service, NATS, EventStoreDB and Prometheus, and says that it was not run', () => {
    expect(services.map(([name]) => name).sort()).toEqual(
      [
        'bus-apply',
        'eventstoredb',
        'execution',
        'gateway',
        'human-review',
        'nats',
        'prometheus',
        'retry-policy',
        'scheduling',
        'store-apply',
      ].sort(),
    );
    expect(text).toContain('NOT RUN BY US: no container engine was at hand');
  });

  it.each(ours)(
    '%s: its command is there, its variables are known and accepted, it has the folder and the event store of all',
    (name, service) => {
      expect(existsSync(join(root, service.command?.[0] ?? ''))).toBe(true);
      const env = service.environment ?? {};
      expect(Object.keys(env).filter((variable) => !variablesOf(name).includes(variable))).toEqual([]);
      expect(Object.values(env).filter((value) => typeof value !== 'string')).toEqual([]);
      if (name in schemas) expect(() => readEnv<unknown>(schemas[name as keyof typeof schemas], env)).not.toThrow();
      expect(env['CAIRN_EVENT_STORE']).toBe('esdb://eventstoredb:2113?tls=false');
      expect(service.volumes).toContain(`data:${env['CAIRN_DATA'] ?? ''}`);
    },
  );

  it.each(onBus)('%s: its user of the bus is its own', (name, { environment: env = {} }) => {
    const user = serviceUsers.find((one) => one.name === (name === 'bus-apply' ? 'bus' : name));
    expect(env['CAIRN_NATS_INBOX_PREFIX']).toBe(user?.inboxPrefix);
    expect(env['CAIRN_NATS_NKEY_SEED_FILE']).toBe(`/run/secrets/${user?.name ?? ''}`);
    expect(env['CAIRN_NATS_URL']).toBe('nats://nats:4222');
  });

  it('would notice: a variable nobody reads, a required one that is missing, a port that is none', () => {
    const { environment = {} } = compose.services['gateway'] ?? {};
    expect(variablesOf('gateway')).not.toContain('CAIRN_NAST_URL');
    const without = (variable: string) => Object.fromEntries(Object.entries(environment).filter(([name]) => name !== variable));
    expect(() => readEnv<unknown>(gatewayEnv, without('CAIRN_TOKEN_FILE'))).toThrow(/CAIRN_HOST/);
    expect(() => readEnv<unknown>(gatewayEnv, { ...environment, CAIRN_PORT: 'x' })).toThrow(/CAIRN_PORT/);
  });

  it('depends on what is there, in no circle, and waits for health only where health is asked', () => {
    for (const [name, service] of services) {
      for (const [other, condition] of dependenciesOf(service)) {
        const target = compose.services[other];
        expect({ name, other, there: target !== undefined && target.profiles === undefined }).toEqual({ name, other, there: true });
        if (condition === 'service_healthy') expect(target?.healthcheck?.test.length).toBeGreaterThan(1);
        if (condition === 'service_completed_successfully') expect(target?.restart).toBeUndefined();
      }
    }
    const reach = (name: string, path: readonly string[] = []): void => {
      expect(path).not.toContain(name);
      for (const [other] of dependenciesOf(compose.services[name]!)) reach(other, [...path, name]);
    };
    for (const [name] of services) reach(name);
    expect(dependenciesOf(compose.services['bus-apply']!)).toContainEqual(['store-apply', 'service_completed_successfully']);
    for (const [name, service] of onBus.filter(([name]) => name !== 'bus-apply'))
      expect([name, dependenciesOf(service)]).toEqual([name, [['bus-apply', 'service_completed_successfully']]]);
  });

  it('publishes each port once, on loopback alone, and the one that its service listens to', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, ...port.split(':')] as const));
    for (const [, host] of published) expect(host).toBe('127.0.0.1');
    expect(new Set(published.map(([, , port]) => port)).size).toBe(published.length);
    const inside = (name: string): string[] => published.flatMap(([of, , , port]) => (of === name ? [port ?? ''] : []));
    expect(inside('gateway')).toEqual([compose.services['gateway']?.environment?.['CAIRN_PORT']]);
    expect(inside('nats')).toEqual(['4222', compose.services['nats']?.command?.at(-1)]);
  });

  it('names secrets and volumes that are declared, and folders of the repository that are there', () => {
    const used = new Set(services.flatMap(([, { secrets = [] }]) => secrets));
    expect([...used].sort()).toEqual(Object.keys(compose.secrets).sort());
    for (const [name, { secrets = [], environment = {} }] of services) {
      const files = Object.values(environment).flatMap((value) => /^\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? []);
      expect([name, files.sort()]).toEqual([name, [...secrets].sort()]);
    }
    const sources = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    const made = (path: string): boolean => path.startsWith('./keys/'); // By `cairn bus keys`, before the first start.
    for (const source of sources.filter((path) => path.startsWith('.') && !made(path)))
      expect([source, existsSync(resolve(FOLDER, source))]).toEqual([source, true]);
    expect([...new Set(sources.filter((source) => !source.startsWith('.')))].sort()).toEqual(Object.keys(compose.volumes).sort());
    const { context = '', dockerfile = '' } = compose.services['bus-apply']?.build ?? {};
    expect(existsSync(resolve(FOLDER, context, dockerfile))).toBe(true);
  });

  it('starts nats-server with the shipped configuration and every variable that it asks for', () => {
    const { command = [], environment = {}, env_file: files = [], volumes = [] } = compose.services['nats'] ?? {};
    expect(volumes).toContain('../nats:/etc/nats:ro');
    expect(command.slice(0, 2)).toEqual(['--config', '/etc/nats/nats-server.conf']);
    const conf = ['nats-server.conf', 'permissions.conf'].map((file) => readFileSync(join(root, 'deploy/nats', file), 'utf8')).join('\n');
    const asked = new Set([...conf.matchAll(/^[^#"]*\$(CAIRN_\w+)/gm)].map(([, name = '']) => name));
    const fromKeys = [...asked].filter((name) => !(name in environment));
    expect(fromKeys.every((name) => name.startsWith('CAIRN_NKEY_'))).toBe(true);
    expect(serviceUsers.map(nkeyVariable).filter((name) => !fromKeys.includes(name))).toEqual([]);
    expect(files).toEqual(['./keys/nkeys.env']);
  });
});

describe('deploy/compose/prometheus.yml', () => {
  const jobs = scraping.scrape_configs;
  it('scrapes every service where it tells its numbers', () => {
    const targets = jobs.flatMap(({ dns_sd_configs: dns = [], static_configs: fixed = [] }) => [
      ...dns.flatMap(({ names, port }) => names.map((name) => `${name}:${port}`)),
      ...fixed.flatMap(({ targets: each }) => each),
    ]);
    const telling = ours.flatMap(([name, { environment = {} }]) => {
      const port = environment['CAIRN_METRICS_PORT'] ?? environment['CAIRN_PORT'];
      return port === undefined ? [] : `${name}:${port}`;
    });
    expect(targets.sort()).toEqual(telling.sort());
  });

  it('brings the gateway its token, under a name that the gateway answers to', () => {
    const { volumes = [] } = compose.services['prometheus'] ?? {};
    const credentials = jobs.flatMap(({ authorization }) => authorization?.credentials_file ?? []);
    expect(volumes.map((volume) => volume.split(':')[1])).toEqual(expect.arrayContaining(credentials));
    expect(compose.services['gateway']?.environment?.['CAIRN_HOSTS']).toBe('gateway');
  });
});

describe('cairn doctor', () => {
  it('knows every variable that a service reads, so that it warns of no right one', () => {
    const read = new Set(Object.values(schemas).flatMap(({ shape }) => Object.keys(shape)));
    expect([...read].filter((name) => !(known as readonly string[]).includes(name))).toEqual([]);
  });
});
