// Installs the tarball of a release as users do, and uses it on every Node and TypeScript, in bundles and by test
// runners; fails if any check fails. `--only nodes|backends|typescripts|bundles|runners` runs one part.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startLocalRds } from '../../local-rds/index.js';
import { Installed } from '../support/packages/installed.js';
import { checkBackends } from './backends.js';
import { checkBundles } from './bundles.js';
import { check, checked } from './check.js';
import { checkNodes } from './nodes.js';
import { FOR_TOKENS, installProject, NEEDED, type Project } from './project.js';
import { checkRunners } from './runners.js';
import { checkContents, pack } from './tarball.js';
import { checkTypeScripts } from './types.js';

const { only } = parseArgs({ options: { only: { type: 'string' } } }).values;

async function main(folder: string): Promise<void> {
  const { path: tarball, report } = await pack(folder);
  const plain: Project = { title: 'without AWS', folder: join(folder, 'plain'), aws: false };
  const withAws: Project = { title: 'with AWS', folder: join(folder, 'aws'), aws: true };
  for (const { title, folder: project, aws } of [plain, withAws]) {
    const packages = [...NEEDED, ...(aws ? FOR_TOKENS : [])];
    await check(`npm install, ${title}`, async () => {
      await installProject(project, [tarball, ...packages]);
      return `pgauge ${new Installed(project).version('pgauge') ?? '?'} ${packages.join(' ')}`;
    });
  }
  if (checked.failed > 0) return;
  await check('contents of the tarball', () => checkContents(report));

  await using rds = await startLocalRds();
  const parts: Readonly<Record<string, () => Promise<void>>> = {
    nodes: () => checkNodes(folder, [plain, withAws], rds),
    backends: () => checkBackends(folder, tarball, plain.folder, rds),
    // Without the types of the optional packages.
    typescripts: () => checkTypeScripts(join(folder, 'typescripts'), plain.folder),
    bundles: () => checkBundles(join(folder, 'bundlers'), [plain, withAws], join(folder, 'bundles'), rds),
    runners: () => checkRunners(join(folder, 'runners'), tarball, rds),
  };
  const wanted = async (names: readonly string[]): Promise<void> => {
    for (const name of names) if (only === undefined || only === name) await parts[name]?.();
  };
  // Two sequences in parallel, because much of the work waits for npm or is single-threaded.
  await Promise.all([wanted(['nodes', 'backends', 'typescripts']), wanted(['runners', 'bundles'])]);
}

const folder = await realpath(await mkdtemp(join(tmpdir(), 'pgauge-install-')));
try {
  await main(folder);
  console.log(`${checked.passed} ok, ${checked.failed} failed`);
  if (checked.failed > 0) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
