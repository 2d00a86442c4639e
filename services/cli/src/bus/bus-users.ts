import { handlerUser, publisherUser, serviceUsers, type BusUser } from '@cairn/contracts';
import { isName, isNamespace } from '@cairn/kernel';
import { usage } from '../refusal.js';

/** Users of the bus beside the services, as the command line names them. */
export interface NamedUsers {
  /** `<ns>`, `<ns>/<queue>,<queue>`, each with `<name>@` before it where a namespace has several. */
  readonly handlers?: readonly string[];
  /** `<ns>`. */
  readonly publisher?: readonly string[];
}

/** Every user of an installation; those of the namespace `default` where none are named. Throws a `Refusal` for what is no name. */
export function busUsers({ handlers = [], publisher = [] }: NamedUsers): readonly BusUser[] {
  const none = handlers.length === 0 && publisher.length === 0;
  const users = [
    ...serviceUsers,
    ...(none ? ['default'] : handlers).map(handlersOf),
    ...(none ? ['default'] : publisher).map((ns) => publisherUser(namespaceOf('--publisher', ns), ['start', 'signal'])),
  ];
  const names = users.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw usage(`${twice} is named twice: give one of them a name, as in payers@acme/paying.`);
  return users;
}

function handlersOf(text: string): BusUser {
  const [, as = 'handlers', ns = '', queues] = /^(?:([^@/]*)@)?([^@/]*)(?:\/(.*))?$/.exec(text) ?? [];
  if (!isName(as)) throw usage(`--handlers: '${as}' is no name of a user.`);
  const names = queues === undefined ? [] : queues.split(',');
  const wrong = names.find((queue) => !isName(queue));
  if (wrong !== undefined) throw usage(`--handlers: '${wrong}' is no name of a queue.`);
  return handlerUser(namespaceOf('--handlers', ns), names, as);
}

function namespaceOf(flag: string, ns: string): string {
  if (isNamespace(ns)) return ns;
  throw usage(`${flag}: '${ns}' is no namespace.`);
}
