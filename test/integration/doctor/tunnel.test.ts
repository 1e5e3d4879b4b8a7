import { connect, createServer, type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { useLocalRds } from '../../support/servers.js';
import { diagnose, expectFailure, runExampleCode, type Diagnosis } from './run-doctor.js';

const ENDPOINT = 'orders.abc123.eu-central-1.rds.amazonaws.com';
const rds = useLocalRds({ advertisedHost: ENDPOINT });

/** The arguments of a login through a port forward to the server. */
async function throughTunnel(...more: string[]): Promise<Diagnosis> {
  const tunnel = createServer((client) => {
    const server = connect(rds().port, '127.0.0.1');
    client.pipe(server).pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => tunnel.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void tunnel.close());
  const { user, database, region, caFile, awsEnv } = rds();
  return await diagnose({
    args: [
      ...['--host', '127.0.0.1', '--port', String((tunnel.address() as AddressInfo).port)],
      ...['--user', user, '--database', database, '--region', region, '--ca', caFile, ...more],
    ],
    env: awsEnv,
    secrets: [awsEnv.AWS_SECRET_ACCESS_KEY],
  });
}

beforeAll(async () => {
  // Like RDS, whose certificates contain no addresses.
  const { certPem, keyPem } = await rds().ca.issue({ commonName: ENDPOINT, dnsNames: [ENDPOINT] });
  rds().gate.useCertificate({ cert: certPem, key: keyPem });
});

describe('a tunnel to an RDS endpoint', () => {
  it('is detected when its token is rejected', async () => {
    const diagnosis = await throughTunnel('--ssl-mode', 'verify-ca');
    expect(diagnosis.step('token').found).toContain('127.0.0.1 is not the name of an RDS endpoint');
    expectFailure(
      diagnosis,
      'login',
      'token_rejected',
      'give the endpoint itself with --sign-host NAME:PORT',
    );
    expect(diagnosis.step('login').remedy).toMatch(/signed for app at 127\.0\.0\.1:\d+ in eu-central-1/);
  });

  it('is detected when the certificate is for the endpoint', async () => {
    const diagnosis = await throughTunnel('--ssl-mode', 'verify-full');
    expectFailure(diagnosis, 'tls', 'tls_wrong_name', "give the database's own name with --sign-host");
  });

  it('works with --sign-host, which signs and verifies for the endpoint', async () => {
    const signed = `${ENDPOINT}:${rds().port}`;
    const diagnosis = await throughTunnel('--ssl-mode', 'verify-full', '--sign-host', signed);
    expect(diagnosis.failed).toEqual([]);
    expect(diagnosis.step('tls').status).toBe('ok');
    expect(diagnosis.step('token').found).toContain(`for app at ${signed} in eu-central-1`);
    expect(diagnosis.step('login').found).toBe('app is logged in');
    expect(diagnosis.exitCode).toBe(0);
    expect(await runExampleCode(diagnosis, rds().awsEnv)).toBe('app');
  });

  it('has its token signed for the dialled port when --sign-host has none, which the hint shows', async () => {
    const diagnosis = await throughTunnel('--ssl-mode', 'verify-ca', '--sign-host', ENDPOINT);
    expectFailure(diagnosis, 'login', 'token_rejected', 'signed for app at orders.abc123.eu-central-1');
    expect(diagnosis.step('login').remedy).not.toContain('--sign-host');
  });

  it.each([
    ['orders/app', '--sign-host must not contain any of "@/?#" or whitespace'],
    [`${ENDPOINT}:https`, 'the port of --sign-host must be between 1 and 65535'],
    ['a:b:c', '--sign-host must be a name or an address'],
  ])('is refused with --sign-host %s', async (signed, found) => {
    const diagnosis = await throughTunnel('--sign-host', signed);
    expectFailure(diagnosis, 'configuration', 'config_invalid', 'correct what it names');
    expect(diagnosis.step('configuration').found).toContain(found);
  });
});
