import type { LoggerService } from '@nestjs/common';
import { destination, pino, type DestinationStream, type Logger } from 'pino';

/** What a line may carry: ids and counts, never payload (`experience.md` §7). */
export interface LogFields {
  readonly run?: string;
  readonly branch?: string;
  readonly step?: string;
  readonly attempt?: string;
  readonly [field: string]: string | number | boolean | undefined;
}

/** One line an occurrence, not one a step: a line costs 6-8 µs (`facts.md` §2.7), and the steps are in the history. */
export interface Log {
  debug(msg: string, fields?: LogFields): void;
  info(msg: string, fields?: LogFields): void;
  warn(msg: string, fields?: LogFields): void;
  /** `cause` gives its class, code and stack; its message may hold payload and is left out. */
  error(msg: string, fields?: LogFields, cause?: unknown): void;
}

/** Would hold secrets or payload if somebody passed a request or a message by mistake. */
const REDACTED = ['authorization', 'token', 'headers', 'body', 'data', 'input', 'output', '*.authorization', '*.token', '*.data'];

const STDERR = 2;

/** JSON lines `{time, level, service, msg, …}`. Default: stderr, since stdout belongs to what a command answers. */
export function createLog(options: { readonly service: string; readonly level?: string; readonly to?: DestinationStream }): Log {
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED, censor: '[redacted]' },
    },
    options.to ?? destination({ fd: STDERR, sync: true }),
  );
  return new PinoLog(logger);
}

class PinoLog implements Log {
  constructor(private readonly logger: Logger) {}

  debug(msg: string, fields: LogFields = {}): void {
    this.logger.debug(fields, msg);
  }

  info(msg: string, fields: LogFields = {}): void {
    this.logger.info(fields, msg);
  }

  warn(msg: string, fields: LogFields = {}): void {
    this.logger.warn(fields, msg);
  }

  error(msg: string, fields: LogFields = {}, cause?: unknown): void {
    this.logger.error({ ...fields, ...describe(cause) }, msg);
  }
}

function describe(cause: unknown): Record<string, string> {
  if (cause === undefined) return {};
  if (!(cause instanceof Error)) return { cause: typeof cause };
  const code = 'code' in cause && typeof cause.code === 'string' ? { code: cause.code } : {};
  // A stack begins with the message, which may quote what came in.
  const frames = cause.stack
    ?.split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .join('\n');
  return { cause: cause.name, ...code, ...(frames === undefined ? {} : { stack: frames }) };
}

/** Nest's own messages, through the same log. */
export class NestLog implements LoggerService {
  constructor(private readonly to: Log) {}

  log(message: unknown, context?: unknown): void {
    this.to.debug(String(message), contextOf(context));
  }

  debug(message: unknown, context?: unknown): void {
    this.to.debug(String(message), contextOf(context));
  }

  verbose(message: unknown, context?: unknown): void {
    this.to.debug(String(message), contextOf(context));
  }

  warn(message: unknown, context?: unknown): void {
    this.to.warn(String(message), contextOf(context));
  }

  /** That it cannot listen Nest says and throws as well: whoever starts the process says it, once and in his own words. */
  error(message: unknown, _stack?: unknown, context?: unknown): void {
    if (CANNOT_LISTEN.test(String(message))) return this.to.debug(String(message), contextOf(context));
    if (message instanceof Error) this.to.error('nest', contextOf(context), message);
    else this.to.error(String(message), contextOf(context));
  }

  fatal(message: unknown, context?: unknown): void {
    this.error(message, undefined, context);
  }
}

/** Node's message of a server that gets no port. */
const CANNOT_LISTEN = /^Error: listen E[A-Z]+: /;

const contextOf = (context: unknown): LogFields => (typeof context === 'string' ? { context } : {});
