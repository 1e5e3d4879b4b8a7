// ESLint, its rules and its settings come from the project's own install, two folders up.
import tseslint from 'typescript-eslint';
import project from '../../eslint.config.js';

export default tseslint.config(
  { ignores: ['node_modules'] },
  ...project.filter((part) => !('ignores' in part && Object.keys(part).length === 1)),
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
);
