import { type Command, Option } from 'commander';
import { Client } from './client.js';
import { EXIT } from './exit-codes.js';
import { Paint } from './paint.js';
import type { Surroundings } from './surroundings.js';

/** What every command is built on: its options, its output, its server. One per invocation. */
export class Shell {
  exitCode: number = EXIT.ok;

  constructor(readonly surroundings: Surroundings) {}

  /** What a command that was parsed works with. */
  context(command: Command): Context {
    return new Context(this, optionsOf(command));
  }
}

export interface CommonOptions {
  readonly json?: boolean;
  readonly ns?: string;
  readonly url?: string;
  readonly token?: string;
  readonly data?: string;
}

export class Context {
  readonly json: boolean;
  readonly paint: Paint;
  readonly surroundings: Surroundings;
  #client: Client | undefined;

  constructor(
    private readonly shell: Shell,
    readonly options: CommonOptions,
  ) {
    this.surroundings = shell.surroundings;
    this.json = options.json === true;
    this.paint = new Paint(shell.surroundings);
  }

  get client(): Client {
    return (this.#client ??= new Client(this.options, this.surroundings.env));
  }

  /** Looks for the server anew: it may have been restarted elsewhere. */
  reconnect(): Client {
    this.#client = undefined;
    return this.client;
  }

  /** The command's answer: one JSON document, or text for people. */
  print(document: unknown, forPeople: () => string): void {
    this.surroundings.out(this.json ? `${JSON.stringify(document, null, 2)}\n` : forPeople());
  }

  /** Progress and asides: never in the way of what is piped. */
  aside(text: string): void {
    this.surroundings.err(`${text}\n`);
  }

  exit(code: number): void {
    this.shell.exitCode = code;
  }
}

/**
 * Adds what every command understands. Where `--data` is a command's own payload, the folder is named before the noun
 * (`cairn --data ./x event send …`) or by `CAIRN_DATA`.
 */
export function common(command: Command, { payload = false } = {}): Command {
  command.addOption(new Option('--json', 'one stable JSON document instead of text'));
  command.addOption(new Option('--ns <name>', 'namespace'));
  command.addOption(new Option('--url <url>', 'the server; else CAIRN_URL, <data>/server.json, 127.0.0.1:4300'));
  command.addOption(new Option('--token <token>', 'bearer token; else CAIRN_TOKEN, <data>/token'));
  if (!payload) command.addOption(new Option('--data <folder>', 'data folder of a server on this machine; else CAIRN_DATA, ./.cairn'));
  return command;
}

/** Commands whose `--data` is what they send. */
const payloadCommands = new WeakSet<Command>();

export function commonWithPayload(command: Command): Command {
  payloadCommands.add(command);
  return common(command, { payload: true });
}

function optionsOf(command: Command): CommonOptions {
  let root = command;
  while (root.parent !== null) root = root.parent;
  const { data, ...own } = command.opts<CommonOptions>();
  return { ...root.opts<CommonOptions>(), ...own, ...(data === undefined || payloadCommands.has(command) ? {} : { data }) };
}
