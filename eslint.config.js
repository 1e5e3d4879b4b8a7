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
      // Numbers and booleans in template literals are readable and unambiguous.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // The driver's methods are extracted on purpose, and called with their client.
      '@typescript-eslint/unbound-method': 'off',
      // Allows an arrow function to call a void function as its expression.
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
    // The page's globals in a browser.
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
