import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { installBuilt, linkModules, writeProgram } from '../../support/packages/built-package.js';
import { runScript, type ChildResult } from '../../support/child.js';
import { useLocalRds } from '../../support/servers.js';
import { PRELUDE_PATH } from '../../support/docs/code-blocks-chains.js';
import { OtlpReceiver } from '../../support/otlp/otlp.js';
import { startClouds, type Clouds } from './clouds.js';
import type { Program } from './programs.js';

/** The names of servers and ports in the documentation, which are replaced by those of this test. */
const HOSTS =
  /\b[\w.-]+\.(?:rds\.amazonaws|postgres\.database\.azure)\.com\b|\b[\w-]+\.internal\b|\b10\.20\.30\.40\b/g;
const PORTS = /\b(?:5432|6432|15432)\b/g;
const FILES = /(?<=')\/(?:etc|run)\/[^']+(?=')/g;

const DATABASE = { user: 'app', database: 'orders' };
const PASSWORD = 'p@ss/word';

/**
 * Starts a stand-in for RDS whose `app` logs in with tokens, another whose `app` has a password, and an OTLP receiver;
 * returns a function that runs programs against them, with the package as it would be installed.
 */
export function useWorld(): (program: Program) => Promise<ChildResult> {
  const withTokens = useLocalRds(DATABASE);
  const withPassword = useLocalRds({ ...DATABASE, user: 'owner' });
  const otlp = new OtlpReceiver();
  let clouds: Clouds | undefined;
  let folder = '';
  let endpoint = '';
  const write = async (path: string, text: string, mode = 0o644): Promise<string> => {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode });
    return file;
  };

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'pgauge-docs-')));
    await installBuilt(folder);
    await linkModules(folder);
    await write('package.json', '{ "type": "module" }');
    await mkdir(join(folder, 'docs'));
    await writeProgram(new URL(`file://${PRELUDE_PATH}`), join(folder, 'docs/prelude.js'));
    await writeProgram(new URL('use-pool.ts', import.meta.url), join(folder, 'docs/use-pool.js'));

    clouds = await startClouds(withTokens());

    const { ca, caPem } = withPassword();
    await withPassword().createUser(DATABASE.user, { password: PASSWORD });
    const client = await ca.issue({ commonName: DATABASE.user });
    await write('etc/ssl/internal-ca.pem', caPem);
    await write('etc/ssl/app.pem', client.certPem);
    await write('etc/ssl/app.key', client.keyPem, 0o600);
    await write('run/secrets/db-password', `${PASSWORD}\n`, 0o600);
    await write('pgpass', `*:*:${DATABASE.database}:${DATABASE.user}:${PASSWORD}\n`, 0o600);
    await write('roots.pem', withTokens().caPem + caPem);
    endpoint = new URL(await otlp.listen()).origin;
  });
  afterAll(async () => {
    await clouds?.stop();
    await otlp[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  return async ({ path, code, tokens }) => {
    const { host, port, region, awsEnv } = tokens ? withTokens() : withPassword();
    const { user, database } = DATABASE;
    const here = (clouds?.adapt(code) ?? code)
      // Several hosts need different names.
      .replaceAll('node2.internal', '127.0.0.1')
      .replaceAll(HOSTS, host)
      .replaceAll(PORTS, String(port))
      .replaceAll(FILES, (file) => join(folder, file));
    const file = await write(path, here);
    const roots = join(folder, 'roots.pem');
    const env = {
      ...{ DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASSWORD: PASSWORD, DB_NAME: database },
      ...(tokens ? { DB_REGION: region, ...awsEnv, ...clouds?.env } : {}),
      DB_SSLMODE: 'verify-full',
      DATABASE_URL: `postgres://${user}:${encodeURIComponent(PASSWORD)}@${host}:${port}/${database}`,
      ...{ PGPORT: String(port), PGDATABASE: database, PGPASSFILE: join(folder, 'pgpass') },
      ...{ PGSSLROOTCERT: roots, NODE_EXTRA_CA_CERTS: roots },
      ...{ AWS_EC2_METADATA_DISABLED: 'true', HOME: folder },
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    };
    return await runScript(new URL(`file://${file}`), [], { env }).result;
  };
}
