import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { postgresFolders } from '../../support/tools/postgres.js';
import { findTool, MissingTool, runTool } from '../../support/tools/run-tool.js';
import { otelcol } from '../tools/otelcol.js';
import { prometheusTools } from '../tools/prometheus.js';
import { BRIDGE, type Engine } from './engine.js';

/** What runs in place of a service's image. */
interface StandIn {
  /** The service. */
  readonly name: string;
  /** A description for the table. */
  readonly what: string;
  /** Keys of the service to set in the override file. */
  readonly changes: Readonly<Record<string, unknown>> & { readonly volumes?: readonly string[] };
}

const IMAGE = 'pgauge-stand-in';
const FILES = join(import.meta.dirname, 'files');
const NODE_FOLDER = dirname(process.execPath);
const USERS = 'root:x:0:0::/root:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n';
const GROUPS = 'root:x:0:\npostgres:x:999:\n';

/** The stand-ins for all images of docker-compose.yml. */
export async function standIns(): Promise<StandIn[]> {
  await findTool('wget', 'apt-get install -y wget');
  const [collector, { prometheus, version }] = [await otelcol(), await prometheusTools('built')];
  const node = `Node ${process.versions.node} of this machine`;
  const file = (name: string): string => `${join(FILES, name)}:/stand-in/${name}:ro`;
  return [
    {
      name: 'postgres',
      what: `${await runTool(join(postgresFolder(), 'postgres'), ['--version'])} of this machine`,
      changes: { entrypoint: ['sh', '/stand-in/postgres.sh'], volumes: [file('postgres.sh')] },
    },
    {
      name: 'install',
      what: `${node}, in the network of the machine: npm reaches its registry`,
      changes: { network_mode: 'host', volumes: ['/etc/ssl:/etc/ssl:ro'] },
    },
    { name: 'local-rds', what: node, changes: {} },
    { name: 'demo', what: node, changes: {} },
    {
      name: 'collector',
      what: 'the collector, built from Go modules',
      changes: { entrypoint: ['/stand-in/otelcol'], volumes: [`${collector}:/stand-in/otelcol:ro`] },
    },
    {
      name: 'tempo',
      what: 'the collector with files/tempo.yaml: it counts the spans',
      changes: {
        entrypoint: ['/stand-in/otelcol'],
        command: ['--config=/stand-in/tempo.yaml'],
        volumes: [`${collector}:/stand-in/otelcol:ro`, file('tempo.yaml')],
      },
    },
    {
      name: 'prometheus',
      what: `Prometheus ${version}, built from Go modules`,
      changes: { entrypoint: ['/stand-in/prometheus'], volumes: [`${prometheus}:/stand-in/prometheus:ro`] },
    },
    {
      name: 'grafana',
      what: 'files/grafana.mjs: it reads what is provisioned and asks its datasources',
      changes: { entrypoint: ['node', '/stand-in/grafana.mjs'], volumes: [file('grafana.mjs')] },
    },
  ];
}

/** The override file that replaces the images with the stand-ins. */
export function override(all: readonly StandIn[]): object {
  const node = NODE_FOLDER.startsWith('/usr/') ? [] : [`${dirname(NODE_FOLDER)}:${dirname(NODE_FOLDER)}:ro`];
  return {
    services: Object.fromEntries(
      all.map(({ name, changes }) => [
        name,
        {
          ...{ image: IMAGE, pull_policy: 'never', ...changes },
          volumes: ['/usr:/usr:ro', ...node, ...(changes.volumes ?? [])],
        },
      ]),
    ),
    networks: { default: { driver_opts: { 'com.docker.network.bridge.name': BRIDGE } } },
  };
}

/** Loads the stand-ins' shared image into the engine: a file system without programs; this machine's are mounted. */
export async function importImage(engine: Engine): Promise<void> {
  const root = join(engine.folder, 'image');
  // sbin is a separate folder, because the engine puts the init process there.
  for (const name of ['etc', 'prometheus', 'root', 'sbin', 'tmp', 'usr', 'var/lib'])
    await mkdir(join(root, name), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(root, name));
  await chmod(join(root, 'tmp'), 0o1777);
  await writeFile(join(root, 'etc/passwd'), USERS);
  await writeFile(join(root, 'etc/group'), GROUPS);
  const archive = `${root}.tar`;
  await runTool('tar', ['-C', root, '-cf', archive, '.']);
  const path = [NODE_FOLDER, postgresFolder(), '/usr/sbin', '/usr/bin'].join(':');
  await engine.docker('import', '--change', `ENV PATH=${path}`, archive, IMAGE);
}

function postgresFolder(): string {
  const [newest] = postgresFolders();
  if (newest === undefined) throw new MissingTool('PostgreSQL is missing: apt-get install -y postgresql');
  return newest;
}
