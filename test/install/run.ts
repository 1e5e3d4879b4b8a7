// The tarball of a release, installed as its users install it and used on every Node; fails if any check fails.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startLocalRds, type LocalRds } from '../../local-rds/index.js';
import { USAGE } from '../../src/doctor/arguments.js';
import * as own from '../../src/index.js';
import { writeProgram } from '../support/packages/built-package.js';
import { Installed } from '../support/packages/installed.js';
import { install, installNode, type NodeBinary } from '../support/packages/npm.js';
import { NODES } from '../support/packages/versions.js';
import { checkContents, pack } from './tarball.js';
import { compile, installTypeScripts, RESOLUTIONS, TYPESCRIPTS, writeConsumers } from './types.js';
import type { UseSettings } from './use.js';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const CHECK_TIMEOUT_MS = 60_000;

/** The commands of the README that install, the second only for tokens. */
const NEEDED = ['pg', '@opentelemetry/api'];
const FOR_TOKENS = ['@aws-sdk/rds-signer', '@aws-sdk/credential-providers', '@aws-sdk/ec2-metadata-service'];

/** The ways to load the package. */
const ENTRIES = {
  'import.mjs': `import * as pgauge from 'pgauge';\nimport { use } from './use.mjs';\nawait use(pgauge);\n`,
  'require.cjs': `const pgauge = require('pgauge');\nimport('./use.mjs').then(({ use }) => use(pgauge));\n`,
};

const { engines } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
  engines: { node: string };
};
/** The lowest version of Node that the package allows. */
const LOWEST = engines.node.replace('>=', '');

let passed = 0;
let failed = 0;

/** Runs one check and prints its line. */
async function check(title: string, what: () => Promise<string>): Promise<void> {
  try {
    const remark = await what();
    passed += 1;
    console.log(`${title.padEnd(44)} ok      ${remark}`);
  } catch (error) {
    failed += 1;
    const { stderr } = error as { stderr?: string };
    console.log(`${title.padEnd(44)} FAILED  ${stderr || String(error)}`);
  }
}

/** Makes an empty project and installs the tarball and some packages there, strictly. */
async function installProject(folder: string, tarball: string, packages: readonly string[]): Promise<void> {
  await install(folder, [tarball, ...packages], { manifest: {}, flags: ['--strict-peer-deps'] });
  await writeProgram(new URL('use.ts', import.meta.url), join(folder, 'use.mjs'));
  for (const [name, text] of Object.entries(ENTRIES)) await writeFile(join(folder, name), text);
}

/** Runs a command in a project under one Node, with nothing of ours in its environment. */
async function runUnder(
  node: NodeBinary,
  project: string,
  [command, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv = {},
): Promise<{ stdout: string; stderr: string }> {
  const PATH = [dirname(node.binary), process.env['PATH']].join(delimiter);
  return await run(command, args, {
    cwd: project,
    env: { PATH, HOME: process.env['HOME'], ...env },
    timeout: CHECK_TIMEOUT_MS,
  });
}

function settingsFor(rds: LocalRds, aws: boolean): UseSettings {
  const { host, port, user, database, region, postgres } = rds;
  return {
    exports: Object.keys(own).sort(),
    postgres: {
      host: postgres.host,
      port: postgres.port,
      user: postgres.user,
      password: postgres.password,
      database: postgres.database,
      sslMode: 'disable',
    },
    rds: { host, port, user, database, sslMode: 'verify-full', dynamicAuth: { awsRdsIam: { region } } },
    aws,
  };
}

async function main(folder: string): Promise<void> {
  const { path: tarball, report } = await pack(folder);
  const plain = join(folder, 'plain');
  const projects = [
    { title: 'without AWS', aws: false, packages: NEEDED, folder: plain },
    { title: 'with AWS', aws: true, packages: [...NEEDED, ...FOR_TOKENS], folder: join(folder, 'aws') },
  ];
  for (const { title, folder: project, packages } of projects) {
    await check(`npm install, ${title}`, async () => {
      await installProject(project, tarball, packages);
      return `pgauge ${new Installed(project).version('pgauge') ?? '?'} ${packages.join(' ')}`;
    });
  }
  if (failed > 0) return;
  await check('contents of the tarball', () => checkContents(report));

  await using rds = await startLocalRds();
  for (const version of [LOWEST, ...NODES]) {
    const node = await installNode(join(folder, `node-${version}`), version);
    for (const { title, aws, folder: project } of projects) {
      await check(`Node ${node.version}, ${title}, engines`, () => {
        const refusals = new Installed(project).refusals(node.version);
        if (refusals.length > 0) return Promise.reject(new Error(refusals.join('; ')));
        return Promise.resolve('every package takes it');
      });
      const env = {
        ...rds.awsEnv,
        PGSSLROOTCERT: rds.caFile,
        CHECK: JSON.stringify(settingsFor(rds, aws)),
      };
      for (const entry of Object.keys(ENTRIES)) {
        await check(`Node ${node.version}, ${title}, ${entry}`, async () => {
          const { stdout, stderr } = await runUnder(node, project, ['node', entry], env);
          if (stderr !== '') throw new Error(`it warns: ${stderr}`);
          return stdout.trim();
        });
      }
    }
    await check(`Node ${node.version}, npx pgauge doctor --help`, async () => {
      const command = ['npx', '--no-install', 'pgauge', 'doctor', '--help'] as const;
      const { stdout } = await runUnder(node, plain, command);
      if (stdout !== USAGE) throw new Error(`it says: ${stdout}`);
      return 'its usage';
    });
  }

  const typeScripts = join(folder, 'typescripts');
  await installTypeScripts(typeScripts);
  // Without the types of the packages that are optional.
  await writeConsumers(plain);
  for (const typeScript of TYPESCRIPTS)
    for (const resolution of RESOLUTIONS)
      await check(`TypeScript ${typeScript.version}, ${resolution.moduleResolution}`, () =>
        compile(typeScripts, plain, typeScript, resolution),
      );
}

const folder = await realpath(await mkdtemp(join(tmpdir(), 'pgauge-install-')));
try {
  await main(folder);
  console.log(`${passed} ok, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
