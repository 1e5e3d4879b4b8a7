import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalRds } from '../../local-rds/index.js';
import { USAGE } from '../../src/doctor/arguments.js';
import * as own from '../../src/index.js';
import { Installed } from '../support/packages/installed.js';
import { installNode, type NodeBinary } from '../support/packages/npm.js';
import { NODES } from '../support/packages/versions.js';
import { check } from './check.js';
import { environmentOf, runIn, type Project } from './project.js';

const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
const { engines } = JSON.parse(manifest) as { engines: { node: string } };
/** The lowest version of Node that the package allows. */
const LOWEST = engines.node.replace('>=', '');
/** The versions of Node on which the package is used. */
export const VERSIONS: readonly string[] = [LOWEST, ...NODES];

const installed = new Map<string, Promise<NodeBinary>>();

/** A version of Node; the first call installs it in `folder`. */
export function nodeOf(folder: string, version: string): Promise<NodeBinary> {
  const node = installed.get(version) ?? installNode(join(folder, `node-${version}`), version);
  installed.set(version, node);
  return node;
}

/** Loads and uses the package by `import` and by `require` in every project on every Node, and runs its tool. */
export async function checkNodes(folder: string, projects: readonly Project[], rds: LocalRds): Promise<void> {
  for (const version of VERSIONS) {
    const node = await nodeOf(folder, version);
    const title = `Node ${node.version}`;
    for (const project of projects) {
      await check(`${title}, ${project.title}, engines`, () => {
        const refusals = new Installed(project.folder).refusals(node.version);
        if (refusals.length > 0) return Promise.reject(new Error(refusals.join('; ')));
        return Promise.resolve('every package takes it');
      });
      const env = environmentOf(rds, project.aws, { exports: Object.keys(own).sort() });
      for (const entry of ['import.mjs', 'require.cjs']) {
        await check(`${title}, ${project.title}, ${entry}`, async () => {
          const { stdout, stderr } = await runIn(project.folder, ['node', entry], env, node.binary);
          if (stderr !== '') throw new Error(`it warns: ${stderr}`);
          return stdout.trim();
        });
      }
    }
    await check(`${title}, npx pgauge doctor --help`, async () => {
      const command = ['npx', '--no-install', 'pgauge', 'doctor', '--help'] as const;
      const { stdout } = await runIn(projects[0]?.folder ?? folder, command, {}, node.binary);
      if (stdout !== USAGE) throw new Error(`it says: ${stdout}`);
      return 'its usage';
    });
  }
}
