import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { TLSSocket, createSecureContext } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  createCa,
  startLocalRds,
  type CertificateAuthority,
  type LocalRds,
} from '../../../local-rds/index.js';
import type { Arguments } from '../../../src/doctor/arguments.js';
import { checkTcp } from '../../../src/doctor/checks/tcp.js';
import { Session } from '../../../src/doctor/session.js';
import { settingsOf } from '../../../src/doctor/settings.js';
import { SSL_REQUEST, useFakeServer } from '../../support/fake-server.js';
import { useLocalRds } from '../../support/servers.js';
import { dropsConnections } from './drops-connections.js';
import { diagnose, emptyHome, expectFailure, iamArgs, runDoctor, type Diagnosis } from './run-doctor.js';

const rds = useLocalRds();
const fake = useFakeServer();
const DAY_MS = 86_400_000;
const ANOTHER_NODE = new URL('./programs/another-node.ts', import.meta.url).href;
const BROKEN = new URL('./programs/broken-resolver.ts', import.meta.url).href;
const METRICS_SERVER = new URL('../../faults/process/preloads/metrics-server.ts', import.meta.url).href;

/** Variables that make the doctor's resolver process use a broken resolver. */
function withResolver(resolver: string): Record<string, string> {
  const home = emptyHome();
  const node = join(home['HOME'] ?? '', 'node');
  writeFileSync(node, `#!/bin/sh\nexec '${process.execPath}' --import=tsx --import='${BROKEN}' "$@"\n`, {
    mode: 0o755,
  });
  const preloads = `--import=tsx --import=${ANOTHER_NODE}`;
  return { ...rds().awsEnv, NODE_OPTIONS: preloads, ANOTHER_NODE: node, RESOLVER: resolver };
}

async function diagnoseRds(args: readonly string[], of: LocalRds = rds()): Promise<Diagnosis> {
  return await diagnose({
    args: [...iamArgs(of), ...args],
    env: of.awsEnv,
    secrets: [of.awsEnv.AWS_SECRET_ACCESS_KEY],
  });
}

/** Expects that the steps on the path to the server are skipped, and all others checked. */
function expectSkipped(diagnosis: Diagnosis, after: string): void {
  expect(diagnosis.step('login')).toMatchObject({
    status: 'skipped',
    code: 'earlier_step_failed',
    because: after,
  });
  expect(diagnosis.step('headroom').because).toBe(after);
  expect(diagnosis.step('token').status).toBe('ok');
  expect(diagnosis.failed).toEqual([after]);
}

describe('the doctor, when it cannot reach the server,', () => {
  it('says that no name server knows the host', async () => {
    const diagnosis = await diagnoseRds(['--host', 'no-such-host.invalid']);
    expectFailure(diagnosis, 'dns', 'host_unknown', 'check the spelling');
    expect(diagnosis.step('dns').found).toContain('ENOTFOUND');
    expectSkipped(diagnosis, 'dns');
  });

  it('looks up a host that looks like a Node option', async () => {
    const diagnosis = await diagnoseRds(['--host=-v.invalid']);
    expectFailure(diagnosis, 'dns', 'host_unknown', 'check the spelling');
    expectSkipped(diagnosis, 'dns');
  });

  it('says that no process listens on the port', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const diagnosis = await diagnoseRds(['--port', String(port)]);
    expectFailure(diagnosis, 'tcp', 'port_closed', 'nothing listens there');
    expect(diagnosis.step('tcp').found).toContain('127.0.0.1 ECONNREFUSED');
    expectSkipped(diagnosis, 'tcp');
  });

  it('gives up on a port that drops packets, and still runs the other checks in time', async () => {
    const port = await dropsConnections();
    const diagnosis = await diagnoseRds(['--port', String(port), '--timeout', '15']);
    expectFailure(diagnosis, 'tcp', 'no_answer', 'security group');
    expectSkipped(diagnosis, 'tcp');
  });

  it('gives up on a server that accepts and never answers', async () => {
    rds().gate.set({ blackhole: true });
    onTestFinished(() => rds().gate.set({ blackhole: false }));
    const diagnosis = await diagnoseRds(['--timeout', '15']);
    expectFailure(diagnosis, 'tls', 'no_answer', 'what stands before the server');
    expectSkipped(diagnosis, 'tls');
  });

  it('says that the server hangs up before TLS', async () => {
    rds().gate.set({ refuse: true });
    onTestFinished(() => rds().gate.set({ refuse: false }));
    const diagnosis = await diagnoseRds([]);
    expect(diagnosis.failed).toHaveLength(1);
    expect(diagnosis.exitCode).toBe(1);
    expect(diagnosis.flatTable).toMatch(/ECONNRESET|closed the connection before TLS/);
  });

  it.each([
    [
      'another service that answers',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      'not_postgres',
      'another service listens',
    ],
    ['a service that injects bytes before TLS', 'Sstuffed', 'not_postgres', 'another service listens'],
    ['a server that reports an error', 'EFATAL: canary', 'server_unavailable', "the server's log"],
    ['a service that closes the connection', '', 'no_answer', 'no server to forward to'],
  ])('recognises %s by its answer to the TLS request', async (_, answer, code, remedy) => {
    fake.reply = ({ socket }, piece) => {
      if (piece.length > 0) socket.end(answer);
    };
    const diagnosis = await diagnoseRds(['--port', String(fake.port)]);
    expectFailure(diagnosis, 'tls', code, remedy);
    expect(diagnosis.step('tls').found).not.toContain('canary');
    expectSkipped(diagnosis, 'tls');
  });

  it('says that there is no route', async () => {
    // A multicast address, to which no system can connect by TCP.
    const diagnosis = await diagnoseRds(['--host', '224.0.0.1']);
    expectFailure(diagnosis, 'tcp', 'unreachable', 'check the route');
    expectSkipped(diagnosis, 'tcp');
  });

  it.each([
    // The answer takes long because a program has to start first.
    ['EAI_AGAIN', 'EAI_AGAIN', '90'],
    ['hangs', 'no answer in time', '15'],
  ])('says that the name server gave no answer: %s', async (resolver, found, timeout) => {
    const diagnosis = await diagnose({
      args: [...iamArgs(rds()), '--host', 'db.example.com', '--timeout', timeout],
      env: withResolver(resolver),
    });
    expectFailure(diagnosis, 'dns', 'dns_unavailable', '/etc/resolv.conf');
    expect(diagnosis.step('dns').found).toContain(found);
    expectSkipped(diagnosis, 'dns');
  });

  it.each(['ends', 'crashes'])(
    'does not blame the name server when its lookup process %s',
    async (resolver) => {
      const diagnosis = await diagnose({
        args: [...iamArgs(rds()), '--host', 'db.example.com', '--timeout', '90'],
        env: withResolver(resolver),
      });
      expectFailure(diagnosis, 'dns', 'lookup_failed', 'may start Node as a process of its own');
      expectSkipped(diagnosis, 'dns');
    },
  );

  it('starts its lookup process without the modules that NODE_OPTIONS loads into the application', async () => {
    const port = await new Promise<number>((resolve) => {
      const server = createServer().listen(0, () => {
        const { port } = server.address() as AddressInfo;
        server.close(() => resolve(port));
      });
    });
    const env = {
      ...rds().awsEnv,
      NODE_OPTIONS: `--import=tsx --import=${METRICS_SERVER}`,
      METRICS_PORT: String(port),
    };
    const { code, stdout, stderr } = await runDoctor(iamArgs(rds()), env);
    expect(stdout).toMatch(/^telemetry is on\n/);
    expect(stdout).toMatch(/^✓ DNS +\d+ ms +127\.0\.0\.1/m);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('warns about an unreachable address beside a reachable one', async () => {
    const { port, user, database } = rds();
    const session = new Session(settingsOf({ max: 1, timeoutMs: 1 } as Arguments, {}), {});
    session.set('config', { host: 'two.example.com', port, user, database });
    session.set('addresses', [
      { address: '224.0.0.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]);
    const outcome = await checkTcp(session, new AbortController().signal);
    expect(outcome).toMatchObject({ status: 'warning', code: 'addresses_unreachable' });
    expect(outcome.remedy).toContain('take it out of DNS');
    expect(session.get('address')).toBe('127.0.0.1');
  });
});

describe('the doctor, checking TLS,', () => {
  let otherCa: CertificateAuthority;
  beforeAll(async () => {
    otherCa = await createCa({ commonName: 'Another Authority' });
  });

  async function showing(
    request: Parameters<CertificateAuthority['issue']>[0],
    ca: CertificateAuthority = rds().ca,
  ): Promise<void> {
    const shown = await ca.issue(request);
    rds().gate.useCertificate({ cert: shown.certPem, key: shown.keyPem });
    const right = await rds().ca.issue({ commonName: 'localhost', dnsNames: ['localhost'] });
    onTestFinished(() => rds().gate.useCertificate({ cert: right.certPem, key: right.keyPem }));
  }

  it('says that the server has no TLS', async () => {
    const plain = await startLocalRds({ tls: 'off' });
    onTestFinished(() => plain.stop());
    const diagnosis = await diagnoseRds([], plain);
    expectFailure(diagnosis, 'tls', 'tls_not_offered', 'ssl = on');
    expect(plain.gate.stats().startups).toBe(0);
    expectSkipped(diagnosis, 'tls');
  });

  it('says that the two sides have no TLS version in common', async () => {
    const { certPem, keyPem } = await rds().ca.issue({ dnsNames: ['localhost'] });
    const secureContext = createSecureContext({
      ...{ cert: certPem, key: keyPem, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' },
      // OpenSSL rejects old versions at its default security level.
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    fake.reply = ({ socket }, piece) => {
      if (!piece.equals(SSL_REQUEST)) return;
      socket.removeAllListeners('data');
      socket.write('S');
      new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined);
    };
    const diagnosis = await diagnoseRds(['--port', String(fake.port)]);
    expectFailure(diagnosis, 'tls', 'tls_version', 'this Node speaks TLSv1.2 to TLSv1.3');
    expect(diagnosis.step('tls').found).not.toContain('openssl');
    expectSkipped(diagnosis, 'tls');
  });

  it('says that the handshake broke off', async () => {
    fake.reply = ({ socket }, piece) => {
      if (piece.equals(SSL_REQUEST)) socket.write('S');
      else if (piece.length > 0) socket.end('no TLS at all');
    };
    const diagnosis = await diagnoseRds(['--port', String(fake.port)]);
    expectFailure(diagnosis, 'tls', 'tls_rejected', 'the TLS versions that both sides speak');
    expectSkipped(diagnosis, 'tls');
  });

  it('says that a self-signed certificate is not trusted', async () => {
    // A root certificate is self-signed.
    const self = await createCa({ commonName: 'Self' });
    const { certPem, keyPem } = await self.issue({ dnsNames: ['localhost'] });
    rds().gate.useCertificate({ cert: certPem + self.certPem, key: keyPem });
    onTestFinished(async () => {
      const right = await rds().ca.issue({ commonName: 'localhost', dnsNames: ['localhost'] });
      rds().gate.useCertificate({ cert: right.certPem, key: right.keyPem });
    });
    const diagnosis = await diagnoseRds([]);
    expectFailure(diagnosis, 'tls', 'tls_unknown_ca', '--ca FILE');
    expect(diagnosis.step('tls').found).toContain('SELF_SIGNED_CERT_IN_CHAIN: issued by Self');
    expectSkipped(diagnosis, 'tls');
  });

  it('says which authority is unknown, and where the RDS roots are', async () => {
    await showing({ dnsNames: ['localhost'] }, otherCa);
    const diagnosis = await diagnoseRds([]);
    expectFailure(diagnosis, 'tls', 'tls_unknown_ca', '--ca FILE');
    expect(diagnosis.flatTable).toContain(
      'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem',
    );
    expect(diagnosis.step('tls').found).toContain('Another Authority');
    expect(diagnosis.step('tls').facts['verified']).toBe(false);
    expectSkipped(diagnosis, 'tls');
  });

  it('says which names the certificate is for', async () => {
    await showing({ dnsNames: ['orders.example.com', 'orders-ro.example.com'] });
    const diagnosis = await diagnoseRds([]);
    expectFailure(diagnosis, 'tls', 'tls_wrong_name', 'dial a name the certificate holds');
    expect(diagnosis.step('tls').found).toContain('DNS:orders.example.com, DNS:orders-ro.example.com');
    expectSkipped(diagnosis, 'tls');

    const unnamed = await diagnoseRds(['--ssl-mode', 'verify-ca']);
    expect(unnamed.step('tls').status).toBe('ok');
    expect(unnamed.exitCode).toBe(0);
  });

  it('says when the certificate expired', async () => {
    const notAfter = new Date(Date.now() - DAY_MS);
    await showing({ dnsNames: ['localhost'], notBefore: new Date(Date.now() - 9 * DAY_MS), notAfter });
    const diagnosis = await diagnoseRds([]);
    expectFailure(diagnosis, 'tls', 'tls_expired', "renew the server's certificate");
    expect(diagnosis.step('tls').facts['expires_in_days']).toBeLessThan(0);
    expectSkipped(diagnosis, 'tls');
  });

  it('says that the certificate is not valid yet', async () => {
    await showing({ dnsNames: ['localhost'], notBefore: new Date(Date.now() + DAY_MS) });
    expectFailure(await diagnoseRds([]), 'tls', 'tls_not_yet_valid', 'clock');
  });

  it('warns about a certificate that expires within a month', async () => {
    await showing({ dnsNames: ['localhost'], notAfter: new Date(Date.now() + 9.5 * DAY_MS) });
    const diagnosis = await diagnoseRds([]);
    expect(diagnosis.step('tls')).toMatchObject({
      status: 'warning',
      code: 'tls_expires_soon',
      facts: { expires_in_days: 9 },
    });
    expect(diagnosis.exitCode).toBe(0);
  });
});
