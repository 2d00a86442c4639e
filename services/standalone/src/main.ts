import { parseArgs } from 'node:util';
import { createLog, drainOnSignals } from '@cairn/nest-kit';
import { startStandalone } from './standalone.js';

/** sysexits.h EX_CONFIG: somebody must change something before a start can work. */
const EXIT_CONFIG = 78;
const EXIT_FAILED = 1;

/** `node main.js --port 4300 --data ./.cairn --ns default --json` */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      data: { type: 'string' },
      host: { type: 'string' },
      ns: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const env = process.env;
  const port = values.port ?? env['CAIRN_PORT'];
  const host = values.host ?? env['CAIRN_HOST'];
  const ns = values.ns ?? env['CAIRN_NS'];
  const logLevel = env['CAIRN_LOG_LEVEL'];
  const server = await startStandalone({
    data: values.data ?? env['CAIRN_DATA'] ?? './.cairn',
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(host === undefined ? {} : { host }),
    ...(ns === undefined ? {} : { ns }),
    ...(logLevel === undefined ? {} : { logLevel }),
  });
  const { url, data } = server;
  process.stdout.write(
    values.json === true ? `${JSON.stringify({ ready: true, url, data })}\n` : `cairn is ready at ${url} (data ${data})\n`,
  );
  drainOnSignals(process, createLog({ service: 'standalone', ...(logLevel === undefined ? {} : { level: logLevel }) }), () =>
    server.stop(),
  );
}

/** One line that says what to change. */
function explain(error: unknown): { readonly line: string; readonly code: number } {
  const message = error instanceof Error ? error.message : 'unknown error';
  switch ((error as { readonly code?: unknown } | null)?.code) {
    case 'config_invalid':
      return { line: `configuration: ${message}`, code: EXIT_CONFIG };
    case 'data_locked':
      return { line: `${message}; stop it, or give --data another folder`, code: EXIT_CONFIG };
    case 'EADDRINUSE':
      return { line: 'the port is taken; give --port another, or 0 for a free one', code: EXIT_CONFIG };
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return { line: `configuration: ${message.split('\n')[0] ?? ''}`, code: EXIT_CONFIG };
    default:
      return { line: message, code: EXIT_FAILED };
  }
}

main().catch((error: unknown) => {
  const { line, code } = explain(error);
  process.stderr.write(`cairn: ${line}\n`);
  process.exit(code);
});
