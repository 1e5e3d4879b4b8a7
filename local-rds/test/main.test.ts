import { fromIni } from '@aws-sdk/credential-providers';
import { Signer } from '@aws-sdk/rds-signer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, expect, it } from 'vitest';
import { startPostgres } from '../index.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'local-rds-test-'));

afterAll(() => rmSync(out, { recursive: true }));

interface Facts {
  readonly [name: string]: unknown;
  readonly port: number;
  readonly caFile: string;
  readonly credentialsFile: string;
  readonly imdsEndpoint: string;
}

/** Requests credentials from the metadata service as the AWS SDK does. */
async function credentialsFrom(endpoint: string) {
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
  const token = await fetch(`${endpoint}/latest/api/token`, { method: 'PUT', headers });
  const answer = await fetch(`${endpoint}/latest/meta-data/iam/security-credentials/local-rds`, {
    headers: { 'x-aws-ec2-metadata-token': await token.text() },
  });
  const { AccessKeyId, SecretAccessKey, Token } = (await answer.json()) as Record<string, string>;
  return {
    accessKeyId: AccessKeyId ?? '',
    secretAccessKey: SecretAccessKey ?? '',
    sessionToken: Token ?? '',
  };
}

function start(...options: string[]) {
  return spawn(process.execPath, ['--import', 'tsx', 'local-rds/main.ts', ...options], {
    cwd: ROOT,
    env: { ...process.env, LOCAL_RDS_REGION: 'eu-west-3', LOCAL_RDS_DATABASE: 'from_env' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

it('the local-rds command prints its address on one line without secrets, serves, and ends cleanly on SIGTERM', async () => {
  const child = start('--out', out, '--database', 'from_flag', '--max-connections', '30');
  const exited = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const facts = JSON.parse(line) as Facts;
  expect(facts).toEqual({
    ...{ host: 'localhost', port: expect.any(Number) as number, region: 'eu-west-3', user: 'app' },
    ...{ database: 'from_flag', caFile: join(out, 'ca.pem'), credentialsFile: join(out, 'aws-credentials') },
    pid: child.pid,
  });

  const credentialsFile = readFileSync(facts.credentialsFile, 'utf8');
  expect(statSync(facts.credentialsFile).mode & 0o777).toBe(0o600);
  for (const [, secret] of credentialsFile.matchAll(/= (\S+)/g)) expect(line).not.toContain(secret);

  const signer = new Signer({
    ...{ hostname: 'localhost', port: facts.port, username: 'app', region: 'eu-west-3' },
    credentials: fromIni({ filepath: facts.credentialsFile, ignoreCache: true }),
  });
  const client = new pg.Client({
    ...{ host: 'localhost', port: facts.port, user: 'app', database: 'from_flag' },
    password: await signer.getAuthToken(),
    ssl: { ca: readFileSync(facts.caFile) },
  });
  await client.connect();
  expect((await client.query('SHOW max_connections')).rows).toEqual([{ max_connections: '30' }]);
  await client.end();

  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(existsSync(facts.credentialsFile)).toBe(false);
  expect(existsSync(join(out, 'connection.json'))).toBe(false);
});

it('the local-rds command can be started repeatedly in front of an existing PostgreSQL, which it leaves running', async () => {
  await using postgres = await startPostgres();
  await postgres.query(`CREATE ROLE other LOGIN PASSWORD 'secret'`);
  const folder = join(out, 'external');
  const options = ['--out', folder, '--imds-port', '0', '--postgres-socket', postgres.socketDir];
  for (const round of ['first', 'second']) {
    const child = start(...options, '--postgres-port', String(postgres.port));
    const exited = once(child, 'exit');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    expect(readFileSync(join(folder, 'connection.json'), 'utf8')).toBe(`${line}\n`);
    const facts = JSON.parse(line) as Facts;

    const signer = new Signer({
      ...{ hostname: 'localhost', port: facts.port, username: 'app', region: 'eu-west-3' },
      credentials: () => credentialsFrom(facts.imdsEndpoint),
    });
    const ssl = { ca: readFileSync(facts.caFile) };
    const at = { host: 'localhost', port: facts.port, database: 'from_env', ssl };
    const app = new pg.Client({ ...at, user: 'app', password: await signer.getAuthToken() });
    await app.connect();
    await app.query('CREATE TABLE IF NOT EXISTS rounds (name text)');
    await app.query('INSERT INTO rounds VALUES ($1)', [round]);
    await app.end();
    const refused = new pg.Client({ ...at, user: 'app', password: 'no token' });
    await expect(refused.connect()).rejects.toMatchObject({ code: '28000' });
    const other = new pg.Client({ ...at, user: 'other', password: 'secret' });
    await other.connect();
    await other.end();

    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  }
  const { rows } = await postgres.query('SELECT name FROM rounds', undefined, 'from_env');
  expect(rows).toEqual([{ name: 'first' }, { name: 'second' }]);
});

it('the local-rds command reports that there is no PostgreSQL at the socket', async () => {
  const child = start('--postgres-socket', out);
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).not.toBe(0);
  expect(Buffer.concat(errors).toString()).toContain(`cannot prepare the PostgreSQL at ${out}`);
});

it.each([
  ['--port', 'x', '--port must be a whole number'],
  ['--nonsense', 'x', '--nonsense'],
])('the local-rds command refuses %s %s with an error', async (flag, value, message) => {
  const child = start(flag, value);
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).not.toBe(0);
  expect(Buffer.concat(errors).toString()).toContain(message);
});
