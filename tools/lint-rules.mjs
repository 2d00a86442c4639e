// The parts of `eslint.config.js` that are this house's own: what is refused, and the sentence that names the way out.

/** Held in memory and lost with the process: what they would carry is in the history. */
export const nestBuses = {
  paths: [
    {
      name: '@nestjs/cqrs',
      importNames: ['EventBus', 'EventPublisher', 'AggregateRoot', 'Saga', 'EventsHandler', 'IEvent', 'IEventHandler'],
      message: 'CommandBus and QueryBus only: a crash loses what the others hold. Append an event, or ring a fact.',
    },
  ],
  patterns: [
    { regex: '^(\\.|\\.\\.|\\./index\\.js|(\\.\\./)+index\\.js)$', message: 'Import the file itself: a barrel is for other packages.' },
  ],
};

export const banned = [
  { selector: 'TSEnumDeclaration', message: 'A union of literals: enums are neither data nor erasable.' },
  { selector: 'Decorator[expression.callee.name="Global"]', message: 'No @Global: a module says what it needs.' },
  { selector: 'CallExpression[callee.name="forwardRef"]', message: 'No forwardRef: there are no circles.' },
  { selector: 'CallExpression[callee.name="require"]', message: 'ESM: import.' },
  { selector: 'Identifier[name="__dirname"]', message: 'ESM: import.meta.dirname.' },
];

export const barrels = [{ selector: 'ExportAllDeclaration', message: 'List the names: a barrel says what a package shows.' }];

/** `list[i]!` after a bound check is what the compiler cannot know; any other `!` hides a question that wants an answer. */
export const looseBang = [
  {
    selector: 'TSNonNullExpression:not([expression.type="MemberExpression"][expression.computed=true])',
    message: 'No `!` but on an index that was just checked: use invariant(), a guard or a default.',
  },
];

const pure = 'The domain is pure: what it needs arrives in the state or the command.';

export const impureGlobals = [
  'Date',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'process',
  'fetch',
  'performance',
  'crypto',
  'console',
  'Promise',
  'globalThis',
  'Intl',
  'AbortController',
  'AbortSignal',
  'EventTarget',
  'WebSocket',
].map((name) => ({ name, message: pure }));

export const impureProperties = [
  { object: 'Math', property: 'random', message: pure },
  ...['localeCompare', 'toLocaleString', 'toLocaleUpperCase', 'toLocaleLowerCase'].map((property) => ({
    property,
    message: 'Depends on the machine’s locale.',
  })),
];

export const impureSyntax = [
  { selector: ':function[async=true]', message: `${pure} Nothing here waits.` },
  { selector: 'AwaitExpression', message: `${pure} Nothing here waits.` },
  { selector: 'ForOfStatement[await=true]', message: `${pure} Nothing here waits.` },
  { selector: 'ImportExpression', message: `${pure} Nothing here loads.` },
  { selector: 'TSTypeReference[typeName.name="Promise"]', message: `${pure} Nothing here waits.` },
];
