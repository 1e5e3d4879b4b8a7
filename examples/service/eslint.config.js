// ESLint, its rules and its settings come from the project's own install, two folders up.
import tseslint from 'typescript-eslint';
import project from '../../eslint.config.js';

export default tseslint.config(
  { ignores: ['node_modules', 'dist'] },
  ...project.filter((part) => !('ignores' in part && Object.keys(part).length === 1)),
  { files: ['**/*.ts'], languageOptions: { parserOptions: { tsconfigRootDir: import.meta.dirname } } },
);
