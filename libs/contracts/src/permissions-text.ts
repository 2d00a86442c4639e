import type { BusUser } from './permissions.js';

/** The variable that holds a user's public nkey. */
export const nkeyVariable = ({ name }: Pick<BusUser, 'name'>): string => `CAIRN_NKEY_${name.replaceAll('-', '_').toUpperCase()}`;

/**
 * Users as nats-server reads them: one account with JetStream, nobody without an nkey. Public keys come from the environment; the
 * server refuses to start while one is missing.
 */
export function permissionsText(users: readonly BusUser[]): string {
  return `${['accounts {', '  SYS {}', '  CAIRN {', '    jetstream: enabled', '    users: [', ...users.flatMap(userLines), '    ]', '  }', '}', 'system_account: SYS'].join('\n')}\n`;
}

function userLines(user: BusUser): string[] {
  return [
    `      # ${user.name}: CAIRN_NATS_INBOX_PREFIX=${user.inboxPrefix}`,
    '      {',
    `        nkey: $${nkeyVariable(user)}`,
    '        permissions {',
    ...allowLines('publish', user.publish),
    ...allowLines('subscribe', user.subscribe),
    '        }',
    '      }',
  ];
}

function allowLines(verb: 'publish' | 'subscribe', subjects: readonly string[]): string[] {
  return [
    `          ${verb} {`,
    '            allow: [',
    ...subjects.map((subject) => `              "${subject}"`),
    '            ]',
    '          }',
  ];
}
