import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { frontPostgres } from './external.js';
import { startImds, startLocalRds } from './index.js';

const USAGE = `usage: main.ts [options]        (or the environment variable in brackets)
  --port <n>               port to listen on, default a free one [LOCAL_RDS_PORT]
  --host <address>         address to listen on, default 127.0.0.1 [LOCAL_RDS_HOST]
  --advertised-host <name> name tokens are signed for, default localhost; repeatable [LOCAL_RDS_ADVERTISED_HOST]
  --advertised-port <n>    port tokens are signed for, default the port listened on [LOCAL_RDS_ADVERTISED_PORT]
  --region <name>          default eu-central-1 [LOCAL_RDS_REGION]
  --user <name>            user who logs in with tokens, default app [LOCAL_RDS_USER]
  --database <name>        default app [LOCAL_RDS_DATABASE]
  --max-connections <n>    default 200 [LOCAL_RDS_MAX_CONNECTIONS]
  --postgres-socket <dir>  front the PostgreSQL whose unix socket is there, and which trusts it, instead of starting
                           one; role, user and database are made where they are missing [LOCAL_RDS_POSTGRES_SOCKET]
  --postgres-host <name>   its host, for users with passwords, default 127.0.0.1 [LOCAL_RDS_POSTGRES_HOST]
  --postgres-port <n>      its port, default 5432 [LOCAL_RDS_POSTGRES_PORT]
  --imds-port <n>          serve a role's session credentials there as the instance metadata service does, at the
                           same address; 0 for a free port; default not at all [LOCAL_RDS_IMDS_PORT]
  --out <folder>           where connection.json, ca.pem and aws-credentials go, default a temporary one [LOCAL_RDS_OUT]
`;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    ...{ port: text, host: text, region: text, user: text, database: text, out: text },
    'advertised-host': { type: 'string', multiple: true },
    ...{ 'advertised-port': text, 'max-connections': text, 'imds-port': text, help: { type: 'boolean' } },
    ...{ 'postgres-socket': text, 'postgres-host': text, 'postgres-port': text },
  },
});

if (values.help) process.stdout.write(USAGE);
else await run();

async function run(): Promise<void> {
  const stopped = new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, resolve);
  });
  const given = option('out');
  if (given !== undefined) await mkdir(given, { recursive: true });
  const out = given ?? (await mkdtemp(join(tmpdir(), 'local-rds-out-')));
  const connectionFile = join(out, 'connection.json');
  const caFile = join(out, 'ca.pem');
  const credentialsFile = join(out, 'aws-credentials');
  // A process that waits for the file must not read that of an earlier run.
  await rm(connectionFile, { force: true });

  await using rds = await start();
  const imdsPort = wholeNumber('imds-port');
  await using imds =
    imdsPort === undefined
      ? undefined
      : await startImds(
          withoutUndefined({
            ...{ port: imdsPort, bindHost: option('host'), region: rds.region },
            credentials: (lifetimeMs: number) => rds.credentials.issueTemporary({ lifetimeMs }),
          }),
        );
  await writeFile(caFile, rds.caPem);
  // Removed first: an older file would keep its mode.
  await rm(credentialsFile, { force: true });
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = rds.awsEnv;
  await writeFile(
    credentialsFile,
    `[default]\naws_access_key_id = ${AWS_ACCESS_KEY_ID}\naws_secret_access_key = ${AWS_SECRET_ACCESS_KEY}\n`,
    { mode: 0o600, flag: 'wx' },
  );
  const { host, port, region, user, database } = rds;
  const imdsHost = advertisedHosts()?.[0] ?? '127.0.0.1';
  const facts = JSON.stringify({
    ...{ host, port, region, user, database, caFile, credentialsFile, pid: process.pid },
    ...(imds && { imdsEndpoint: `http://${imdsHost}:${imds.port}` }),
  });
  await writeFile(`${connectionFile}.new`, `${facts}\n`);
  await rename(`${connectionFile}.new`, connectionFile);
  // A single line, after which a reader knows that the stand-in is ready. The credentials file has the format of
  // ~/.aws/credentials.
  console.log(facts);
  await stopped;
  for (const file of [connectionFile, credentialsFile]) await rm(file, { force: true });
  if (given === undefined) await rm(out, { recursive: true, force: true });
}

async function start() {
  const maxConnections = wholeNumber('max-connections');
  const endpoint = withoutUndefined({
    port: wholeNumber('port'),
    bindHost: option('host'),
    advertisedHost: advertisedHosts(),
    advertisedPort: wholeNumber('advertised-port'),
    region: option('region'),
    user: option('user'),
    database: option('database'),
  });
  const socketDir = option('postgres-socket');
  if (socketDir === undefined) {
    const postgres = maxConnections && { settings: { max_connections: String(maxConnections) } };
    return await startLocalRds({ ...endpoint, ...(postgres && { postgres }) });
  }
  if (maxConnections !== undefined)
    throw new Error('--max-connections is for a PostgreSQL of its own, not with --postgres-socket');
  const at = withoutUndefined({ host: option('postgres-host'), port: wholeNumber('postgres-port') });
  return await frontPostgres(endpoint, { ...at, socketDir });
}

function advertisedHosts(): string[] | undefined {
  return values['advertised-host'] ?? fromEnvironment('advertised-host')?.split(',');
}

type OptionName = Exclude<keyof typeof values, 'help' | 'advertised-host'>;

function option(name: OptionName): string | undefined {
  return values[name] ?? fromEnvironment(name);
}

function fromEnvironment(name: string): string | undefined {
  return process.env[`LOCAL_RDS_${name.toUpperCase().replaceAll('-', '_')}`] || undefined;
}

function wholeNumber(name: OptionName): number | undefined {
  const given = option(name);
  if (given === undefined) return undefined;
  if (!/^\d+$/.test(given)) throw new Error(`--${name} must be a whole number`);
  return Number(given);
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(values_: T): Defined<T> {
  return Object.fromEntries(Object.entries(values_).filter(([, value]) => value !== undefined)) as Defined<T>;
}
