import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import semver from 'semver';
import { SOURCES } from '../../examples/demo/sources/index.js';
import type { SourceName } from '../../examples/demo/sources/names.js';
import type { LocalRds } from '../../local-rds/index.js';
import { Installed } from '../support/packages/installed.js';
import { writeProgram } from '../support/packages/built-package.js';
import type { BackendsSettings, Login } from './backends-app.js';
import { check } from './check.js';
import { nodeOf, VERSIONS } from './nodes.js';
import { FOR_TOKENS, installProject, NEEDED, runIn } from './project.js';

/** The backends whose packages no other project has, with the packages that each needs. */
const PACKAGES = {
  awsDsql: ['@aws-sdk/dsql-signer', '@aws-sdk/credential-providers'],
  awsSecretsManager: ['@aws-sdk/client-secrets-manager', '@aws-sdk/credential-providers'],
  azureAd: ['@azure/identity'],
  gcpCloudSqlIam: ['google-auth-library'],
} as const satisfies Partial<Record<SourceName, readonly string[]>>;
const APP = new URL('backends-app.ts', import.meta.url);
const BACKENDS = Object.keys(PACKAGES) as (keyof typeof PACKAGES)[];
const ALL = [...new Set(Object.values(PACKAGES).flat())];

const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
const { peerDependencies: ranges, peerDependenciesMeta: optional } = JSON.parse(manifest) as {
  peerDependencies: Readonly<Record<string, string>>;
  peerDependenciesMeta: object;
};
const rangeOf = (name: string): string => ranges[name] ?? 'none';

/** The last releases that support Node 20, of packages that have dropped it. */
const LAST_FOR_NODE_20: Readonly<Record<string, string>> = {
  '@azure/identity': '4.13.1',
  'google-auth-library': '10',
};

/** Versions of the packages, and the Node versions that they support. */
interface Choice {
  readonly title: string;
  readonly folder: string;
  readonly node: string;
  readonly version: (name: string) => string;
}

/**
 * The newest is `latest` instead of a range, because from a range npm picks a release for the Node that npm runs on. A
 * release above our range fails the installation.
 */
const CHOICES: readonly Choice[] = [
  {
    title: 'lowest',
    folder: 'lowest',
    node: '*',
    version: (name) => semver.minVersion(rangeOf(name))?.version ?? '',
  },
  {
    title: 'newest',
    folder: 'newest-20',
    node: '<22',
    version: (name) => LAST_FOR_NODE_20[name] ?? rangeOf(name),
  },
  { title: 'newest', folder: 'newest', node: '>=22', version: () => 'latest' },
];

const LIFETIME_MS = 3_600_000;

/**
 * Logs in with each backend on every Node, with the lowest and the newest version of its packages, and checks that
 * without them the error names the install command.
 */
export async function checkBackends(
  folder: string,
  tarball: string,
  without: string,
  rds: LocalRds,
): Promise<void> {
  await check('every optional package is in a project', () => {
    assert.deepEqual([...new Set([...FOR_TOKENS, ...ALL])].sort(), Object.keys(optional).sort());
    return Promise.resolve(`${Object.keys(optional).length} packages`);
  });
  await writeProgram(APP, join(without, 'backends.mjs'));
  for (const choice of CHOICES)
    await check(`npm install, backends, ${titleOf(choice)}`, () =>
      installChoice(join(folder, choice.folder), tarball, choice),
    );
  const sources = await Promise.all(
    BACKENDS.map(async (name) => ({ name, source: await SOURCES[name](rds, LIFETIME_MS) })),
  );
  try {
    const logins = sources.map(({ name, source }): Login => {
      const { host, port, database } = rds;
      const config = { host, port, database, user: source.user, dynamicAuth: source.dynamicAuth };
      return { name, config, command: `npm install ${PACKAGES[name].join(' ')}` };
    });
    const env = Object.assign({}, ...sources.map(({ source }) => source.env)) as NodeJS.ProcessEnv;
    const told = (installed: boolean): NodeJS.ProcessEnv => {
      const settings: BackendsSettings = { logins, installed };
      return { ...env, PGSSLROOTCERT: rds.caFile, CHECK: JSON.stringify(settings) };
    };
    for (const version of VERSIONS) {
      const node = await nodeOf(folder, version);
      const run = (title: string, project: string, installed: boolean): Promise<void> =>
        check(`Node ${node.version}, backends, ${title}`, async () => {
          const { stdout } = await runIn(project, ['node', 'backends.mjs'], told(installed), node.binary);
          return stdout.trim();
        });
      await run('without packages', without, false);
      for (const choice of CHOICES)
        if (semver.satisfies(node.version, choice.node))
          await run(titleOf(choice), join(folder, choice.folder), true);
    }
  } finally {
    for (const { source } of sources) await source[Symbol.asyncDispose]();
  }
}

async function installChoice(project: string, tarball: string, { version }: Choice): Promise<string> {
  const packages = ALL.map((name) => `${name}@${version(name)}`);
  await installProject(project, [tarball, ...NEEDED, ...packages]);
  await writeProgram(APP, join(project, 'backends.mjs'));
  const installed = new Installed(project);
  return ALL.map((name) => `${name} ${installed.version(name) ?? '?'}`).join(' ');
}

function titleOf({ title, node }: Choice): string {
  return node === '*' ? title : `${title}, Node ${node}`;
}
