// What the linter refuses is what breaks promises: impurity in the domain, lost promises, incomplete switches, `any`.
// Layout is prettier's, imports between projects are dependency-cruiser's.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { banned, barrels, impureGlobals, impureProperties, impureSyntax, looseBang, nestBuses } from './tools/lint-rules.mjs';

const specs = ['**/*.spec.ts', 'test/**/*.ts', 'libs/testkit/src/contracts/**/*.ts', '**/src/spec/**/*.ts'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', '**/.cairn/**'] },
  js.configs.recommended,
  {
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'performance',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'setImmediate',
          'Buffer',
          'URL',
          'fetch',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // The compiler knows these better.
      'no-undef': 'off',
      'no-control-regex': 'off', // What is refused at the doors are control characters.
      'no-unused-vars': 'off',
      'no-redeclare': 'off',
      'no-dupe-class-members': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-require-imports': 'error',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false, inheritedMethods: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/require-array-sort-compare': ['error', { ignoreStringArrays: true }],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...banned, ...barrels, ...looseBang],
      'no-restricted-imports': ['error', nestBuses],
    },
  },
  {
    files: ['libs/kernel/src/**/*.ts', 'libs/domain/*/src/**/*.ts'],
    ignores: specs,
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': ['error', ...impureProperties],
      'no-restricted-syntax': ['error', ...banned, ...barrels, ...looseBang, ...impureSyntax],
      'no-restricted-imports': [
        'error',
        {
          ...nestBuses,
          patterns: [
            ...nestBuses.patterns,
            { regex: '^node:', message: 'The domain is pure: what it needs arrives in the state or the command.' },
          ],
        },
      ],
    },
  },
  // Digests and v5 ids are arithmetic that node does faster than we could.
  { files: ['libs/kernel/src/digest.ts', 'libs/kernel/src/ids.ts'], rules: { 'no-restricted-imports': ['error', nestBuses] } },
  {
    files: specs,
    rules: {
      'no-restricted-syntax': ['error', ...banned, ...barrels],
      'no-restricted-imports': ['error', { paths: nestBuses.paths }], // A spec may look at its package as others see it.
    },
  },
);
