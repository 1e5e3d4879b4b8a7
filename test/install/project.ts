import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { LocalRds } from '../../local-rds/index.js';
import { writeProgram } from '../support/packages/built-package.js';
import { install } from '../support/packages/npm.js';
import { iamConfig, plainConfig } from '../support/rds-configs.js';
import type { AppSettings } from './app.js';

const run = promisify(execFile);
const COMMAND_TIMEOUT_MS = 180_000;

/** The packages from the README's install commands; the second command is only needed for tokens. */
export const NEEDED = ['pg', '@opentelemetry/api'];
export const FOR_TOKENS = [
  '@aws-sdk/rds-signer',
  '@aws-sdk/credential-providers',
  '@aws-sdk/ec2-metadata-service',
];

const USE = new URL('use.ts', import.meta.url);
const APP = new URL('app.ts', import.meta.url);

/** The ways to load the package, and the program that uses each. */
const ENTRIES: Readonly<Record<string, string>> = {
  'import.mjs': `import * as pgauge from 'pgauge';\nimport { use } from './use.mjs';\nawait use(pgauge);\n`,
  'require.cjs': `const pgauge = require('pgauge');\nimport('./use.mjs').then(({ use }) => use(pgauge));\n`,
  'main.mjs': `import * as pgauge from 'pgauge';\nimport { app } from './app.mjs';\napp(pgauge).then(console.log);\n`,
  'main.cjs': `const pgauge = require('pgauge');\nconst { app } = require('./app.cjs');\napp(pgauge).then(console.log);\n`,
};

/** An empty project with the tarball and some packages. */
export interface Project {
  readonly title: string;
  readonly folder: string;
  /** Whether the packages that make tokens are installed. */
  readonly aws: boolean;
}

/** Installs the tarball and some packages into an empty project, strictly, and writes the programs there. */
export async function installProject(
  folder: string,
  packages: readonly string[],
  allowScripts: Readonly<Record<string, true>> = {},
): Promise<void> {
  await install(folder, packages, { manifest: { allowScripts }, flags: ['--strict-peer-deps'] });
  await writeProgram(USE, join(folder, 'use.mjs'));
  for (const name of ['app.mjs', 'app.cjs']) await writeProgram(APP, join(folder, name));
  for (const [name, text] of Object.entries(ENTRIES)) await writeFile(join(folder, name), text);
}

/** Runs a command with only PATH, HOME, NO_COLOR and `env` in its environment; `node` is the Node on its PATH. */
export async function runIn(
  cwd: string,
  [command, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv = {},
  node = process.execPath,
): Promise<{ stdout: string; stderr: string }> {
  const PATH = [dirname(node), process.env['PATH']].join(delimiter);
  const own = { PATH, HOME: process.env['HOME'], NO_COLOR: '1' };
  return await run(command, args, { cwd, env: { ...own, ...env }, timeout: COMMAND_TIMEOUT_MS });
}

/** The variables of a project's program: AWS keys, root certificates, and CHECK with both servers and `more`. */
export function environmentOf(rds: LocalRds, aws: boolean, more: object = {}): NodeJS.ProcessEnv {
  const settings: AppSettings = {
    postgres: plainConfig(rds),
    rds: iamConfig(rds, { sslMode: 'verify-full' }),
    aws,
  };
  return { ...rds.awsEnv, PGSSLROOTCERT: rds.caFile, CHECK: JSON.stringify({ ...settings, ...more }) };
}
