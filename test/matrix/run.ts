// Every supported pair of OpenTelemetry's API and SDK, on every Node that they support; fails if any check fails.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startPostgres } from '../../local-rds/postgres.js';
import { installBuilt, writeProgram } from '../support/packages/built-package.js';
import { Installed } from '../support/packages/installed.js';
import { install, installNode } from '../support/packages/npm.js';
import { APIS, NODES, SDKS, type SdkChoice } from '../support/packages/versions.js';

const run = promisify(execFile);
const CHECK_TIMEOUT_MS = 60_000;
const MOST_REASONS = 2;
/** The modules that run in each set, the main one first. */
const PROGRAM = ['check', 'check-sdk'];

interface Row {
  readonly api: string;
  readonly sdk: string;
  readonly node: string;
  readonly outcome: 'ok' | 'FAILED' | 'left out';
  readonly remark: string;
}

interface PackageJson {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dirname, '../..');
const own = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as PackageJson;

async function installSet(folder: string, built: string, api: string, sdk: SdkChoice): Promise<Installed> {
  const dependencies = Object.entries(own.dependencies).filter(([name]) => !name.startsWith('@types/'));
  const packages = [
    `@opentelemetry/api@${api}`,
    ...sdk.packages,
    `pg@${own.peerDependencies['pg']}`,
    ...dependencies.map(([name, range]) => `${name}@${range}`),
  ];
  // Incompatible sets are installed too, so that their own manifests show the conflict.
  await install(folder, packages, { manifest: { type: 'module' }, flags: ['--legacy-peer-deps'] });
  await cp(join(built, 'node_modules/pgauge'), join(folder, 'node_modules/pgauge'), { recursive: true });
  for (const name of PROGRAM) await cp(join(built, `${name}.js`), join(folder, `${name}.js`));
  return new Installed(folder);
}

const titleOf = ({ api, sdk, node }: Row): string =>
  `API ${api.padEnd(7)} ${sdk.padEnd(11)} Node ${node.padEnd(8)}`;

async function matrix(folder: string): Promise<Row[]> {
  const built = join(folder, 'built');
  await installBuilt(built);
  for (const name of PROGRAM)
    await writeProgram(new URL(`${name}.ts`, import.meta.url), join(built, `${name}.js`));
  const nodes = [];
  for (const version of NODES) nodes.push(await installNode(join(folder, `node-${version}`), version));

  await using server = await startPostgres();
  const { host, port, user, password, database } = server;
  const rows: Row[] = [];
  const tell = (row: Row): void => {
    rows.push(row);
    console.log(`${titleOf(row)} ${row.outcome.padEnd(8)} ${row.remark}`);
  };

  for (const api of APIS)
    for (const sdk of SDKS) {
      const set = join(folder, `api-${api} ${sdk.title}`);
      const installed = await installSet(set, built, api, sdk);
      const names = {
        api: installed.version('@opentelemetry/api') ?? api,
        sdk: sdk.tracePackage === undefined ? sdk.title : `SDK ${installed.version(sdk.tracePackage) ?? '?'}`,
      };
      const leaveOut = (node: string, reasons: string[]): void => {
        const more = reasons.length > MOST_REASONS ? ` and ${reasons.length - MOST_REASONS} more` : '';
        const remark = reasons.slice(0, MOST_REASONS).join('; ') + more;
        tell({ ...names, node, outcome: 'left out', remark });
      };
      const conflicts = installed.conflicts();
      if (conflicts.length > 0) {
        leaveOut('any', conflicts);
        continue;
      }
      for (const node of nodes) {
        const refusals = installed.refusals(node.version);
        if (refusals.length > 0) {
          leaveOut(node.version, refusals);
          continue;
        }
        const CHECK = JSON.stringify({
          config: { host, port, user, password, database },
          tracePackage: sdk.tracePackage,
        });
        const { outcome, remark } = await run(node.binary, ['check.js'], {
          cwd: set,
          env: { PATH: process.env['PATH'], HOME: process.env['HOME'], CHECK },
          timeout: CHECK_TIMEOUT_MS,
        }).then(
          ({ stdout }) => ({ outcome: 'ok' as const, remark: stdout.trim() }),
          (error: unknown) => ({
            outcome: 'FAILED' as const,
            remark: String((error as { stderr?: string }).stderr || error),
          }),
        );
        tell({ ...names, node: node.version, outcome, remark });
      }
    }
  return rows;
}

const folder = await realpath(await mkdtemp(join(tmpdir(), 'pgauge-matrix-')));
try {
  const rows = await matrix(folder);
  const count = (outcome: Row['outcome']): number => rows.filter((row) => row.outcome === outcome).length;
  console.log(`${count('ok')} ok, ${count('FAILED')} failed, ${count('left out')} left out`);
  // A matrix that leaves everything out proves nothing.
  if (count('FAILED') > 0 || count('ok') === 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
