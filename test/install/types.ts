import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asUser } from '../support/packages/built-package.js';
import { install } from '../support/packages/npm.js';

const run = promisify(execFile);
const COMPILE_TIMEOUT_MS = 120_000;
const MOST_ERRORS = 5;

/** A version of TypeScript, and what it cannot do. */
interface TypeScript {
  readonly version: string;
  /** The newest declarations of Node and of the driver's protocol are not for it. */
  readonly skipLibCheck?: true;
  /** It does not know that Node can `require` an ES module. */
  readonly importOnly?: true;
}

/** The versions of TypeScript, the lowest first. */
export const TYPESCRIPTS: readonly TypeScript[] = [
  { version: '5.4', skipLibCheck: true, importOnly: true },
  { version: '5.7', importOnly: true },
  { version: '5.8' },
  { version: '5.9' },
  { version: '6' },
  { version: '7' },
];

/** The ways of TypeScript's to find a package. */
export const RESOLUTIONS = [
  { moduleResolution: 'nodenext', module: 'nodenext' },
  { moduleResolution: 'bundler', module: 'preserve' },
] as const;

const alias = (version: string): string => `typescript-${version}`;

/** Installs every TypeScript into a folder. */
export async function installTypeScripts(folder: string): Promise<void> {
  const packages = TYPESCRIPTS.map(({ version }) => `${alias(version)}@npm:typescript@${version}`);
  await install(folder, packages, { manifest: {} });
}

/** Writes the consumer into a project, as an ES module and as CommonJS. */
export async function writeConsumers(project: string): Promise<void> {
  const text = asUser(await readFile(new URL('consumer.ts', import.meta.url), 'utf8'));
  for (const ending of ['mts', 'cts']) await writeFile(join(project, `consumer.${ending}`), text);
}

/** Compiles the consumers of a project, strictly; throws the first errors, and says what was compiled. */
export async function compile(
  typeScripts: string,
  project: string,
  { version, skipLibCheck, importOnly }: TypeScript,
  { moduleResolution, module }: (typeof RESOLUTIONS)[number],
): Promise<string> {
  const home = join(typeScripts, 'node_modules', alias(version));
  const onlyImport = importOnly === true && moduleResolution === 'nodenext';
  const files = onlyImport ? ['consumer.mts'] : ['consumer.mts', 'consumer.cts'];
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', module];
  if (skipLibCheck) options.push('--skipLibCheck');
  const args = [join(home, 'bin/tsc'), ...options, '--moduleResolution', moduleResolution, ...files];
  await run(process.execPath, args, { cwd: project, timeout: COMPILE_TIMEOUT_MS }).catch((error: unknown) => {
    const { stdout = '' } = error as { stdout?: string };
    const lines = stdout.split('\n').slice(0, MOST_ERRORS).join('\n');
    throw new Error(lines || String(error), { cause: error });
  });
  const manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  const left = onlyImport ? 'ES module only' : 'ES module and CommonJS';
  return `${manifest.version}: ${left}${skipLibCheck ? ', skipLibCheck' : ''}`;
}
