import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LocalRds } from '../../local-rds/index.js';
import { check } from './check.js';
import { environmentOf, FOR_TOKENS, installProject, NEEDED, runIn } from './project.js';
import { RUNNER_PACKAGES, WITH_SCRIPTS } from './versions.js';

/** A way to run the application: files of the project, and the command. */
interface Runner {
  readonly title: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly command: readonly [string, ...string[]];
}

const TYPED = `import * as pgauge from 'pgauge';
import { app } from './app.EXT';
const config: pgauge.Config = { host: 'h', port: 1, user: 'u', database: 'd' };
pgauge.validateConfig(config);
app(pgauge).then((said: string) => console.log(said));
`;
const REQUIRING = `const pgauge = require('pgauge');
const { app } = require('../app.cjs');
`;
const IMPORTING = `import * as pgauge from 'pgauge';
import { app } from '../app.mjs';
`;

const RUNNERS: readonly Runner[] = [
  {
    title: 'Jest, CommonJS',
    files: { 'jest/app.test.js': `${REQUIRING}test('app', () => app(pgauge).then(console.log));\n` },
    command: ['jest', '--rootDir', '.', 'jest/app.test.js'],
  },
  {
    title: 'Vitest, modules reset',
    files: {
      'vitest/app.spec.mjs': `import { test, vi } from 'vitest';
import { app } from '../app.mjs';
test('app', async () => {
  await app(await import('pgauge'));
  vi.resetModules();
  console.log(await app(await import('pgauge')));
});
`,
    },
    command: ['vitest', 'run', 'vitest/app.spec.mjs'],
  },
  {
    title: 'Mocha',
    files: { 'mocha/app.cjs': `${REQUIRING}it('app', () => app(pgauge).then(console.log));\n` },
    command: ['mocha', 'mocha/app.cjs'],
  },
  {
    title: 'node:test',
    files: {
      'node-test/app.mjs': `import { test } from 'node:test';\n${IMPORTING}test('app', () => app(pgauge).then(console.log));\n`,
    },
    command: ['node', '--test', 'node-test/app.mjs'],
  },
  { title: 'tsx, ESM', files: { 'tsx.mts': TYPED.replace('EXT', 'mjs') }, command: ['tsx', 'tsx.mts'] },
  { title: 'tsx, CommonJS', files: { 'tsx.ts': TYPED.replace('EXT', 'cjs') }, command: ['tsx', 'tsx.ts'] },
  {
    title: 'ts-node',
    files: {
      'ts-node.ts': TYPED.replace('EXT', 'cjs'),
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          module: 'commonjs',
          target: 'es2022',
          allowJs: true,
          types: ['node'],
          strict: true,
        },
      }),
    },
    command: ['ts-node', 'ts-node.ts'],
  },
  { title: 'Bun, ESM', command: ['bun', 'main.mjs'] },
  { title: 'Bun, CommonJS', command: ['bun', 'main.cjs'] },
  { title: 'Deno, ESM', command: ['deno', 'run', '--allow-all', 'main.mjs'] },
  { title: 'Deno, CommonJS', command: ['deno', 'run', '--allow-all', 'main.cjs'] },
];
/** Test runners report on the same streams, so not all of the output is a warning. */
const WARNING = /warn|deprecat|experimental|did not exit|open handle/i;

/** Installs the tarball next to test runners, loaders and runtimes, and runs the application with each. */
export async function checkRunners(project: string, tarball: string, rds: LocalRds): Promise<void> {
  await installProject(project, [tarball, ...NEEDED, ...FOR_TOKENS, ...RUNNER_PACKAGES], WITH_SCRIPTS);
  const expected = 'a query, a login with a token';
  for (const { title, files = {}, command } of RUNNERS) {
    await check(title, async () => {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(project, path)), { recursive: true });
        await writeFile(join(project, path), text);
      }
      const [tool, ...args] = command;
      const program = tool === 'node' ? tool : join(project, 'node_modules/.bin', tool);
      const { stdout, stderr } = await runIn(project, [program, ...args], environmentOf(rds, true));
      const told = `${stdout}${stderr}`;
      if (WARNING.test(told)) throw new Error(`it warns: ${told}`);
      if (!told.includes(expected)) throw new Error(`it says: ${told}`);
      return expected;
    });
  }
}
