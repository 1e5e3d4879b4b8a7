// ESLint, its rules and its settings come from the project's own install, two folders up.
import tseslint from 'typescript-eslint';
import project from '../../eslint.config.js';

export default tseslint.config(
  { ignores: ['node_modules', 'prisma/generated'] },
  ...project.filter((part) => !('ignores' in part && Object.keys(part).length === 1)),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { tsconfigRootDir: import.meta.dirname } },
    // At run time the pool is a pg.Pool, as a test here shows; its types, and TypeORM's, only have the same shape.
    rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' },
  },
);
