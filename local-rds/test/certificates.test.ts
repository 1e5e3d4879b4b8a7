import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type ConnectionOptions } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCa, type CertificateAuthority, type CertificateRequest } from '../certificates.js';

const YEAR_MS = 365 * 86_400_000;

describe('createCa', () => {
  let ca: CertificateAuthority;

  beforeAll(async () => {
    ca = await createCa();
  });

  /** The error of a handshake with a server that has the requested certificate, or `ok`. */
  async function handshake(request: CertificateRequest, options: ConnectionOptions = {}): Promise<string> {
    const { certPem, keyPem } = await ca.issue(request);
    const server = createServer({ cert: certPem, key: keyPem }, (socket) => socket.end());
    server.on('tlsClientError', () => undefined);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: ca.certPem, ...options });
    try {
      await once(client, 'secureConnect');
      return client.authorized ? 'ok' : 'unauthorized';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    } finally {
      client.destroy();
      server.close();
    }
  }

  it('issues a certificate that OpenSSL verifies for its DNS name', async () => {
    expect(await handshake({ dnsNames: ['localhost'] })).toBe('ok');
  });

  it('issues a certificate that OpenSSL verifies for its addresses', async () => {
    const ipAddresses = ['127.0.0.1', '::1'];
    const { certPem } = await ca.issue({ ipAddresses });
    const certificate = new X509Certificate(certPem);
    for (const address of ipAddresses) expect(certificate.checkIP(address)).toBe(address);
    // Node treats an empty servername as none, and then verifies the host.
    expect(await handshake({ ipAddresses }, { servername: '' })).toBe('ok');
  });

  it.each<[string, CertificateRequest, string]>([
    ['another name', { dnsNames: ['elsewhere.example'] }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'a past validity',
      {
        dnsNames: ['localhost'],
        notBefore: new Date(Date.now() - 2 * YEAR_MS),
        notAfter: new Date(Date.now() - 1000),
      },
      'CERT_HAS_EXPIRED',
    ],
    [
      'a future validity',
      { dnsNames: ['localhost'], notBefore: new Date(Date.now() + YEAR_MS / 2) },
      'CERT_NOT_YET_VALID',
    ],
  ])('issues a certificate with %s, which is refused', async (_, request, code) => {
    expect(await handshake(request)).toBe(code);
  });

  it('issues certificates that another root does not verify', async () => {
    const other = await createCa();
    expect(await handshake({ dnsNames: ['localhost'] }, { ca: other.certPem })).toBe(
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    );
  });

  it('issues certificates that a root of the same name with another key does not verify', async () => {
    const root = new X509Certificate(ca.certPem);
    const other = await createCa({ commonName: root.subject.replace('CN=', '') });
    expect(new X509Certificate(other.certPem).subject).toBe(root.subject);
    expect(await handshake({ dnsNames: ['localhost'] }, { ca: other.certPem })).not.toBe('ok');
  });

  it('creates roots that may sign and leaf certificates that may not, each with its own P-256 key', async () => {
    const root = new X509Certificate(ca.certPem);
    const issued = await ca.issue({ commonName: 'a, b="c"+d', dnsNames: ['localhost'] });
    const leaf = new X509Certificate(issued.certPem);
    expect(root.ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkIssued(root)).toBe(true);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(issued.keyPem))).toBe(true);
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(leaf.toLegacyObject().subject.CN).toBe('a, b="c"+d');
    expect(leaf.serialNumber).not.toBe(root.serialNumber);
  });
});
