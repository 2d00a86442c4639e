import { InvalidArgumentError, type Command } from 'commander';
import { dataFolder } from '../bus/nats-access.js';
import { EXIT_CONFIG } from '../exit-codes.js';
import { Refusal, problem } from '../refusal.js';
import { Context, type CommonOptions, type Shell } from '../shell.js';

interface DevOptions extends CommonOptions {
  readonly port: number;
}

/** `cairn dev`: the whole of Cairn in this process, with nothing else installed. */
export function devCommand(root: Command, shell: Shell): void {
  root
    .command('dev')
    .description('runs Cairn in one process: memory bus, one libSQL file, HTTP on loopback')
    .option('--port <n>', 'HTTP port; 0 takes a free one', portOf, 4300)
    .option('--data <folder>', 'where everything is kept; else CAIRN_DATA, ./.cairn')
    .option('--ns <name>', 'namespace', 'default')
    .option('--json', 'the first line is {"ready":true,"url":…,"data":…}')
    .action(async (options: DevOptions) => {
      const context = new Context(shell, options);
      await serve(context, options);
    });
}

async function serve(context: Context, { port, data: named, ns = 'default' }: DevOptions): Promise<void> {
  const data = dataFolder(named === undefined ? {} : { data: named }, context.surroundings.env);
  // Nest, libSQL and the services: loaded for this command alone.
  const { startStandalone } = await import('@cairn/standalone');
  let server: Awaited<ReturnType<typeof startStandalone>>;
  try {
    server = await startStandalone({
      port,
      data,
      ns,
      logLevel: context.surroundings.env['CAIRN_LOG_LEVEL'] || (context.json ? 'info' : 'warn'),
    });
  } catch (error) {
    throw refusalOf(error, data, port);
  }
  context.surroundings.out(
    context.json
      ? `${JSON.stringify({ ready: true, url: server.url, data: server.data })}\n`
      : `cairn is ready at ${server.url}  (data ${server.data}, namespace ${ns})\nmemory bus, libSQL file; Ctrl-C drains and ends\n`,
  );
  await ended();
  await server.stop();
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}

function refusalOf(error: unknown, data: string, port: number): unknown {
  const { code, message = '' } = error as { readonly code?: unknown; readonly message?: string };
  if (code === 'config_invalid') return new Refusal(problem('config_invalid', 400, `The configuration is wrong: ${message}.`), EXIT_CONFIG);
  if (code === 'data_locked')
    return new Refusal(
      problem('data_locked', 409, `Another server has the folder ${data}.`),
      EXIT_CONFIG,
      'stop it, or give --data another folder',
    );
  if (code === 'EADDRINUSE')
    return new Refusal(problem('port_in_use', 409, `Port ${port} is taken.`), EXIT_CONFIG, 'give --port another, or 0 for a free one');
  return error;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('A port is a whole number from 0 to 65535.');
  return port;
}
