import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asUser } from '../support/packages/built-package.js';
import { install } from '../support/packages/npm.js';
import { check } from './check.js';

const run = promisify(execFile);
const COMPILE_TIMEOUT_MS = 120_000;
const MOST_ERRORS = 5;

/** A version of TypeScript, and its limitations. */
interface TypeScript {
  readonly version: string;
  /** Set if it cannot read the newest declarations of Node and of the driver's protocol. */
  readonly skipLibCheck?: true;
  /** Flags for the resolution `node10`; undefined if it was removed. */
  readonly node10?: readonly string[];
}

/** The versions of TypeScript, the lowest first. */
const TYPESCRIPTS: readonly TypeScript[] = [
  { version: '5.4', skipLibCheck: true, node10: [] },
  { version: '5.7', node10: [] },
  { version: '5.8', node10: [] },
  { version: '5.9', node10: [] },
  { version: '6', node10: ['--ignoreDeprecations', '6.0'] },
  { version: '7' },
];

interface Resolution {
  readonly moduleResolution: string;
  readonly module: string;
  readonly files: readonly string[];
  /** The only versions to check with; default all. */
  readonly versions?: readonly string[];
}

const BOTH = ['consumer.mts', 'consumer.cts'];
/** The ways in which TypeScript finds a package; the first ignores `exports`. */
const RESOLUTIONS: readonly Resolution[] = [
  { moduleResolution: 'node10', module: 'commonjs', files: ['consumer.ts'] },
  { moduleResolution: 'node16', module: 'node16', files: BOTH, versions: ['5.4', '5.9'] },
  { moduleResolution: 'nodenext', module: 'nodenext', files: BOTH },
  { moduleResolution: 'bundler', module: 'preserve', files: BOTH },
];

const alias = (version: string): string => `typescript-${version}`;

/** Installs every TypeScript into a folder. */
async function installTypeScripts(folder: string): Promise<void> {
  const packages = TYPESCRIPTS.map(({ version }) => `${alias(version)}@npm:typescript@${version}`);
  await install(folder, packages, { manifest: {} });
}

/** Writes the consumer into a project, as an ES module, as CommonJS and as the options decide. */
async function writeConsumers(project: string): Promise<void> {
  const text = asUser(await readFile(new URL('consumer.ts', import.meta.url), 'utf8'));
  for (const ending of ['ts', 'mts', 'cts']) await writeFile(join(project, `consumer.${ending}`), text);
}

/** Installs every TypeScript in `folder`, and compiles the consumers in a project with each, in every resolution. */
export async function checkTypeScripts(folder: string, project: string): Promise<void> {
  await installTypeScripts(folder);
  await writeConsumers(project);
  for (const typeScript of TYPESCRIPTS)
    for (const resolution of RESOLUTIONS)
      if (isFor(resolution, typeScript))
        await check(`TypeScript ${typeScript.version}, ${resolution.moduleResolution}`, () =>
          compile(folder, project, typeScript, resolution),
        );
}

/** `node16` hardly differs from `nodenext`, so the lowest version and one of the newest are enough. */
function isFor({ moduleResolution, versions }: Resolution, { version, node10 }: TypeScript): boolean {
  if (moduleResolution === 'node10') return node10 !== undefined;
  return versions?.includes(version) ?? true;
}

/** Compiles the consumers of a project, strictly; throws the first errors, and returns what was compiled. */
async function compile(
  typeScripts: string,
  project: string,
  { version, skipLibCheck, node10 = [] }: TypeScript,
  { moduleResolution, module, files }: Resolution,
): Promise<string> {
  const home = join(typeScripts, 'node_modules', alias(version));
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', module];
  if (skipLibCheck) options.push('--skipLibCheck');
  if (moduleResolution === 'node10') options.push(...node10);
  const args = [join(home, 'bin/tsc'), ...options, '--moduleResolution', moduleResolution, ...files];
  await run(process.execPath, args, { cwd: project, timeout: COMPILE_TIMEOUT_MS }).catch((error: unknown) => {
    const { stdout = '' } = error as { stdout?: string };
    const lines = stdout.split('\n').slice(0, MOST_ERRORS).join('\n');
    throw new Error(lines || String(error), { cause: error });
  });
  const manifest = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  return `${manifest.version}: ${files.join(', ')}${skipLibCheck ? ', skipLibCheck' : ''}`;
}
