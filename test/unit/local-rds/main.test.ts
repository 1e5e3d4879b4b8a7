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

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'local-rds-test-'));

afterAll(() => rmSync(out, { recursive: true }));

interface Facts {
  readonly [name: string]: unknown;
  readonly port: number;
  readonly caFile: string;
  readonly credentialsFile: string;
}

function start(...options: string[]) {
  return spawn(process.execPath, ['--import', 'tsx', 'local-rds/main.ts', ...options], {
    cwd: ROOT,
    env: { ...process.env, LOCAL_RDS_REGION: 'eu-west-3', LOCAL_RDS_DATABASE: 'from_env' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

it('prints where it is on one line without secrets, serves, and ends cleanly at SIGTERM', async () => {
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
});

it.each([
  ['--port', 'x', '--port must be a whole number'],
  ['--nonsense', 'x', '--nonsense'],
])('refuses %s %s with an error', async (flag, value, message) => {
  const child = start(flag, value);
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).not.toBe(0);
  expect(Buffer.concat(errors).toString()).toContain(message);
});
