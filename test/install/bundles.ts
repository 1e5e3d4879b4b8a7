import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalRds } from '../../local-rds/index.js';
import { install } from '../support/packages/npm.js';
import { check } from './check.js';
import { environmentOf, runIn, type Project } from './project.js';
import { BUNDLER_PACKAGES, WITH_SCRIPTS } from './versions.js';

/** The bundlers, with the arguments before the project and the output folder. */
const BUNDLERS: readonly { readonly title: string; readonly program: string; readonly args?: string[] }[] = [
  { title: 'esbuild', program: 'esbuild.mjs' },
  { title: 'Rspack', program: 'webpack.mjs', args: ['rspack'] },
  { title: 'Rollup', program: 'rollup.mjs' },
  { title: '@vercel/nft', program: 'nft.mjs' },
  { title: 'webpack', program: 'webpack.mjs', args: ['webpack'] },
];
/** Messages about an absent optional package, over one line or several. */
const ABSENT = /@aws-sdk\/(rds-signer|credential-providers|ec2-metadata-service)/;
/** The packages of the other backends, which no project has. */
const ABSENT_EVERYWHERE =
  /@azure\/identity|google-auth-library|@aws-sdk\/(dsql-signer|client-secrets-manager)/;

/** Installs the bundlers in `tools`, bundles each project with each, and runs every bundle without a node_modules. */
export async function checkBundles(
  tools: string,
  projects: readonly Project[],
  folder: string,
  rds: LocalRds,
): Promise<void> {
  await install(tools, BUNDLER_PACKAGES, { manifest: { allowScripts: WITH_SCRIPTS } });
  for (const name of await readdir(join(import.meta.dirname, 'tools')))
    await cp(join(import.meta.dirname, 'tools', name), join(tools, name));
  for (const { title, program, args = [] } of BUNDLERS) {
    for (const project of projects) {
      await check(`${title}, ${project.title}`, async () => {
        const outdir = join(folder, title.replace('/', ' '), project.title);
        const { stdout, stderr } = await runIn(tools, [
          'node',
          join(tools, program),
          ...args,
          project.folder,
          outdir,
        ]);
        const warnings = `${stdout}${stderr}`.trim();
        const expected = ABSENT_EVERYWHERE.test(warnings) || (!project.aws && ABSENT.test(warnings));
        if (warnings !== '' && !expected) throw new Error(warnings);
        return await runBundles(outdir, environmentOf(rds, project.aws));
      });
    }
  }
}

/** Runs the program of each folder; all must print the same, and nothing else. */
async function runBundles(outdir: string, env: NodeJS.ProcessEnv): Promise<string> {
  const variants = await readdir(outdir);
  const said = new Set<string>();
  for (const variant of variants) {
    const folder = join(outdir, variant);
    const [program = 'no program'] = (await readdir(folder)).filter((name) => /^index\./.test(name));
    const { stdout, stderr } = await runIn(folder, ['node', join(folder, program)], env);
    if (stderr !== '') throw new Error(`${variant} warns: ${stderr}`);
    said.add(stdout.trim());
  }
  if (said.size !== 1) throw new Error(`they say: ${[...said].join('; ')}`);
  return `${variants.join(', ')}: ${[...said].join()}`;
}
