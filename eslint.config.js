import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'dist',
      'node_modules',
      'dashboards/pictures',
      'dashboards/schema',
      'examples/ecosystem',
      'examples/service',
      'test/browser',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers and booleans in template literals read well and cannot surprise.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Methods of the driver are taken on purpose, and called with the client they belong to.
      '@typescript-eslint/unbound-method': 'off',
      // `return callback()` in a void arrow is the shortest honest form.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        module: 'writable',
        require: 'readonly',
      },
    },
  },
  {
    // As browsers run it.
    files: ['src/watch/page/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...['document', 'devicePixelRatio', 'getComputedStyle', 'matchMedia', 'uPlot'],
          ...['EventSource', 'Option', 'ResizeObserver', 'URLSearchParams'],
          ...['performance', 'requestAnimationFrame', 'setInterval'],
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
