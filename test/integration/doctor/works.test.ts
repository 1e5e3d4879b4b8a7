import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startImds } from '../../../local-rds/index.js';
import { useLocalRds } from '../../support/servers.js';
import { diagnose, emptyHome, expectWarning, iamArgs, runExampleCode } from './run-doctor.js';

const rds = useLocalRds();

/** An OTLP receiver that accepts every request. */
async function receiver(): Promise<{ readonly url: string; readonly paths: string[]; status: number }> {
  const state = { url: '', paths: [] as string[], status: 200 };
  const server = createServer((request, response) => {
    state.paths.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''}`);
    response.writeHead(state.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}

describe('the doctor, with a working setup,', () => {
  it('passes every check with tokens, a verified server and a collector', async () => {
    const collector = await receiver();
    const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = rds().awsEnv;
    const diagnosis = await diagnose({
      args: iamArgs(rds()),
      env: { ...rds().awsEnv, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
      secrets: [secret, id],
    });
    expect(diagnosis.json.steps.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(diagnosis.exitCode).toBe(0);
    expect(diagnosis.table).toContain('It works: 13 ok');
    expect(diagnosis.step('tls').facts).toMatchObject({ verified: true, roots_from: rds().caFile });
    expect(diagnosis.step('tls').facts['root']).toMatch(/^local-rds CA/);
    expect(diagnosis.step('credentials').facts).toMatchObject({
      source: 'environment',
      access_key_id: `${id.slice(0, 4)}…${id.slice(-4)}`,
    });
    expect(diagnosis.step('token').facts).toMatchObject({
      host: 'localhost',
      port: rds().port,
      user: 'app',
      region: 'eu-central-1',
    });
    expect(diagnosis.step('server').facts).toMatchObject({ in_recovery: false });
    expect(diagnosis.step('headroom').facts).toMatchObject({ max_connections: 200, pool_max: 10 });
    expect(diagnosis.step('cancel').facts).toMatchObject({ stopped: true });
    expect(collector.paths).toEqual(['POST /v1/metrics ', 'POST /v1/metrics ']);
    expect(await runExampleCode(diagnosis, rds().awsEnv)).toBe('app');
  });

  it('finds region, role credentials and the clock at the metadata service', async () => {
    await using imds = await startImds({
      region: 'eu-central-1',
      credentials: (lifetimeMs) => rds().credentials.issueTemporary({ lifetimeMs }),
    });
    const args = iamArgs(rds()).map((arg) => (arg === 'eu-central-1' ? 'detect' : arg));
    const diagnosis = await diagnose({
      args,
      env: { AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint },
    });
    expect(diagnosis.failed).toEqual([]);
    expect(diagnosis.exitCode).toBe(0);
    expect(diagnosis.step('region').facts).toEqual({
      region: 'eu-central-1',
      origin: 'instance metadata service',
    });
    expect(diagnosis.step('credentials').facts).toMatchObject({
      source: 'instance metadata',
      temporary: true,
    });
    expect(Math.abs(diagnosis.step('token').facts['clock_ahead_ms'] as number)).toBeLessThan(30_000);
  });

  it('reads host, port, user, database, password, mode and roots from the environment', async () => {
    await rds().createUser('by_password', { password: 'canary-in-PGPASSWORD' });
    const env = {
      PGHOST: 'localhost',
      PGPORT: String(rds().port),
      PGUSER: 'by_password',
      PGDATABASE: rds().database,
      PGPASSWORD: 'canary-in-PGPASSWORD',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: rds().caFile,
    };
    const diagnosis = await diagnose({ env, secrets: ['canary-in-PGPASSWORD'] });
    expect(diagnosis.failed).toEqual([]);
    expect(diagnosis.exitCode).toBe(0);
    expect(diagnosis.step('credentials').found).toBe('password from PGPASSWORD');
    expect(diagnosis.step('tls').facts['roots_from']).toBe(rds().caFile);
    expect(diagnosis.step('region')).toMatchObject({ status: 'skipped', code: 'not_configured' });
    expect(await runExampleCode(diagnosis, env)).toBe('by_password');
  });

  it('finds the password in the password file, and says why a file is ignored', async () => {
    await rds().createUser('by_file', { password: 'canary-in-the-file' });
    const home = emptyHome();
    const file = join(home['HOME'] ?? '', 'passwords');
    writeFileSync(file, `localhost:${rds().port}:${rds().database}:by_file:canary-in-the-file\n`);
    const setUp = {
      args: ['--host', 'localhost', '--port', String(rds().port), '--user', 'by_file', '--database', 'app'],
      env: { ...home, PGPASSFILE: file, PGSSLROOTCERT: rds().caFile },
      secrets: ['canary-in-the-file'],
    };
    chmodSync(file, 0o600);
    const good = await diagnose(setUp);
    expect(good.exitCode).toBe(0);
    expect(good.step('credentials')).toMatchObject({ status: 'ok', facts: { source: file } });
    expect(await runExampleCode(good, setUp.env)).toBe('by_file');

    chmodSync(file, 0o644);
    const ignored = await diagnose(setUp);
    expectWarning(ignored, 'credentials', 'password_missing', 'mode 0600');
    expect(ignored.step('credentials').found).toContain('group or others have access');
    expect(ignored.failed).toEqual(['login']);
  });

  it('warns about an unverified server, and logs in', async () => {
    const args = [...iamArgs(rds()).slice(0, 10), '--ssl-mode', 'require'];
    const diagnosis = await diagnose({ args, env: rds().awsEnv });
    expectWarning(diagnosis, 'tls', 'tls_not_verified', 'https://truststore.pki.rds.amazonaws.com/');
    expect(diagnosis.exitCode).toBe(0);
  });
});
