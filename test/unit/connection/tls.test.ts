import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as dial, isIP, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createCa,
  type CertificateAuthority,
  type IssuedCertificate,
} from '../../../local-rds/certificates.js';
import type { SslMode } from '../../../src/settings/ssl-mode.js';
import { ConfigError } from '../../../src/errors.js';
import { sslSettings, type SslOptions } from '../../../src/settings/ssl-options.js';
import { encryptedKey } from '../../support/encrypted-key.js';
import { planTls } from '../../../src/connection/tls.js';

const DAY_MS = 86_400_000;
let folder: string;
let ca: CertificateAuthority;
let otherCa: CertificateAuthority;
let client: IssuedCertificate;
const certificates: Record<string, IssuedCertificate> = {};
const ports: Record<string, number> = {};
const servers: tls.Server[] = [];
const paths: Record<string, string> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgauge-tls-'));
  [ca, otherCa] = await Promise.all([createCa(), createCa()]);
  client = await ca.issue({ commonName: 'client' });
  certificates['name'] = await ca.issue({ dnsNames: ['db.test'] });
  certificates['localhost'] = await ca.issue({ dnsNames: ['localhost'] });
  certificates['address'] = await ca.issue({ ipAddresses: ['127.0.0.1', '::1', 'fe80::1'] });
  certificates['expired'] = await ca.issue({
    dnsNames: ['db.test'],
    notBefore: new Date(Date.now() - 2 * DAY_MS),
    notAfter: new Date(Date.now() - DAY_MS),
  });
  for (const [name, { certPem, keyPem }] of Object.entries(certificates)) {
    ports[name] = await listen({ cert: certPem, key: keyPem });
  }
  const { certPem: cert, keyPem: key } = certificates['name'];
  ports['old'] = await listen({ cert, key, maxVersion: 'TLSv1.2' });
  ports['asking'] = await listen({ cert, key, requestCert: true, rejectUnauthorized: false });
  const files = {
    root: `# the roots\n${otherCa.certPem}# and another\n${ca.certPem}`,
    other: otherCa.certPem,
    cert: client.certPem,
    key: client.keyPem,
    encrypted: encryptedKey(client.keyPem, 'open'),
  };
  for (const [name, content] of Object.entries(files)) {
    paths[name] = join(folder, name);
    await writeFile(join(folder, name), content);
  }
});

afterAll(async () => {
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  await rm(folder, { recursive: true });
});

async function listen(options: tls.TlsOptions): Promise<number> {
  const server = tls.createServer(options, (socket) => {
    socket.on('error', () => undefined);
    const certificate = socket.getPeerCertificate() as Partial<tls.PeerCertificate>;
    socket.end(JSON.stringify({ sni: socket.servername, client: certificate.subject?.CN }));
  });
  server.on('tlsClientError', () => undefined);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

type Outcome = { readonly code: string } | { readonly version: string | null; readonly said: unknown };

/** Shakes hands as pg 8.21 does: sets `servername` unless the name is an address, and passes no host to Node. */
async function handshake(
  options: false | tls.ConnectionOptions,
  server: string,
  host: string,
): Promise<Outcome> {
  if (options === false) throw new Error('not encrypted');
  const socket: Socket = dial(ports[server] ?? 0, '127.0.0.1');
  const merged = { socket, ...options, ...(isIP(host) === 0 && { servername: host }) };
  return await new Promise<Outcome>((resolve) => {
    const secured = tls.connect(merged);
    let said = '';
    secured.setTimeout(5_000, () => secured.destroy(new Error('nothing said')));
    secured.on('data', (data: Buffer) => (said += data.toString()));
    secured.on('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? error.message }));
    secured.on('end', () => {
      resolve({ version: secured.getProtocol(), said: JSON.parse(said) });
      secured.destroy();
    });
  });
}

const plan = (mode: SslMode, ssl?: SslOptions, env: NodeJS.ProcessEnv = {}) =>
  planTls(mode, sslSettings(ssl, mode), env);
const ACCEPTED = 'accepted';
const NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';
const EXPIRED = 'CERT_HAS_EXPIRED';
const CHAIN = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';

describe('a handshake', () => {
  it.each<[mode: SslMode, roots: 'right' | 'other' | 'none', server: string, host: string, outcome: string]>([
    ['require', 'none', 'name', 'db.test', ACCEPTED],
    ['require', 'none', 'name', 'other.test', ACCEPTED],
    ['require', 'none', 'expired', 'db.test', ACCEPTED],
    ['require', 'right', 'name', 'db.test', ACCEPTED],
    ['require', 'right', 'name', 'other.test', ACCEPTED],
    ['require', 'right', 'expired', 'db.test', EXPIRED],
    ['require', 'other', 'name', 'db.test', CHAIN],
    ['verify-ca', 'right', 'name', 'db.test', ACCEPTED],
    ['verify-ca', 'right', 'name', 'other.test', ACCEPTED],
    ['verify-ca', 'right', 'name', '127.0.0.1', ACCEPTED],
    ['verify-ca', 'right', 'expired', 'db.test', EXPIRED],
    ['verify-ca', 'other', 'name', 'db.test', CHAIN],
    ['verify-ca', 'none', 'name', 'db.test', CHAIN],
    ['verify-full', 'right', 'name', 'db.test', ACCEPTED],
    ['verify-full', 'right', 'name', 'other.test', NAME],
    ['verify-full', 'right', 'name', '127.0.0.1', NAME],
    ['verify-full', 'right', 'localhost', '127.0.0.1', NAME],
    ['verify-full', 'right', 'localhost', 'db.test', NAME],
    ['verify-full', 'right', 'address', '127.0.0.1', ACCEPTED],
    ['verify-full', 'right', 'address', '127.0.0.2', NAME],
    ['verify-full', 'right', 'address', '::1', ACCEPTED],
    ['verify-full', 'right', 'address', '0:0:0:0:0:0:0:1', ACCEPTED],
    ['verify-full', 'right', 'address', 'fe80::1%lo', ACCEPTED],
    ['verify-full', 'right', 'address', '::2', NAME],
    ['verify-full', 'right', 'expired', 'db.test', EXPIRED],
    ['verify-full', 'other', 'name', 'db.test', CHAIN],
    ['verify-full', 'none', 'name', 'db.test', CHAIN],
  ])(
    'with %s, %s roots, a certificate for %s and the host %s is %s',
    async (mode, roots, server, host, outcome) => {
      const root = roots === 'none' ? undefined : (roots === 'right' ? ca : otherCa).certPem;
      const byOption = await plan(mode, root === undefined ? undefined : { ca: root });
      const path = roots === 'right' ? paths['root'] : roots === 'other' ? paths['other'] : undefined;
      const byFile = await plan(mode, undefined, { PGSSLROOTCERT: path });
      for (const made of [byOption, byFile]) {
        const result = await handshake(made.finish(made.target(), host), server, host);
        expect('code' in result ? result.code : ACCEPTED).toBe(outcome);
      }
    },
  );

  it('verifies even with NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const made = await plan('verify-full', { ca: otherCa.certPem });
      expect(await handshake(made.finish(made.target(), 'db.test'), 'name', 'db.test')).toEqual({
        code: CHAIN,
      });
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it('verifies the servername instead of the host', async () => {
    const made = await plan('verify-full', { ca: ca.certPem, servername: 'db.test' });
    expect(await handshake(made.finish(made.target(), '127.0.0.1'), 'name', '127.0.0.1')).toMatchObject({
      said: { sni: 'db.test' },
    });
    const wrong = await plan('verify-full', { ca: ca.certPem, servername: 'other.test' });
    expect(await handshake(wrong.finish(wrong.target(), '127.0.0.1'), 'name', '127.0.0.1')).toEqual({
      code: NAME,
    });
  });

  it('requests and verifies a name without its trailing dot', async () => {
    const made = await plan('verify-full', { ca: ca.certPem });
    for (const host of ['db.test.', 'db.test']) {
      const options = made.finish(made.target(), host) as tls.ConnectionOptions;
      const certificate = { subject: {}, subjectaltname: 'DNS:db.test' } as tls.PeerCertificate;
      expect(options.servername).toBe(host === 'db.test' ? undefined : 'db.test');
      expect(options.checkServerIdentity?.('localhost', certificate)).toBeUndefined();
    }
    expect(made.finish(made.target(), '127.0.0.1.')).not.toHaveProperty('servername');
  });

  it('verifies a servername that is an address, and does not send it', async () => {
    const made = await plan('verify-full', { ca: ca.certPem, servername: '127.0.0.1' });
    const options = made.finish(made.target(), 'db.test');
    expect(options).not.toHaveProperty('servername');
    expect(await handshake(options, 'address', 'db.test')).toMatchObject({ version: 'TLSv1.3' });
    expect(await handshake(options, 'name', 'db.test')).toEqual({ code: NAME });
  });

  it('requires the configured minimum version', async () => {
    const lowest = await plan('require');
    expect(await handshake(lowest.finish(lowest.target(), 'h'), 'old', 'h')).toMatchObject({
      version: 'TLSv1.2',
    });
    const higher = await plan('require', { minVersion: 'TLSv1.3' });
    expect(await handshake(higher.finish(higher.target(), 'h'), 'old', 'h')).toEqual({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });

  it.each<[string, () => [SslOptions | undefined, NodeJS.ProcessEnv]]>([
    ['options', () => [{ cert: client.certPem, key: client.keyPem }, {}]],
    ['files', () => [undefined, { PGSSLCERT: paths['cert'], PGSSLKEY: paths['key'] }]],
    [
      'files with a passphrase',
      () => [{ passphrase: 'open' }, { PGSSLCERT: paths['cert'], PGSSLKEY: paths['encrypted'] }],
    ],
    [
      'options rather than files',
      () => [
        { cert: client.certPem, key: client.keyPem },
        { PGSSLCERT: '/no', PGSSLKEY: '/no' },
      ],
    ],
  ])('presents the client certificate given by %s', async (_title, given) => {
    const made = await plan('require', ...given());
    const options = made.finish(made.target(), 'h');
    expect(await handshake(options, 'asking', 'h')).toMatchObject({ said: { client: 'client' } });
    expect(inspect([made, made.target(), options], { depth: 9, showHidden: true })).not.toContain(
      'PRIVATE KEY',
    );
  });
});

describe('planTls', () => {
  it('prefers ssl.ca to PGSSLROOTCERT', async () => {
    const made = await plan('verify-ca', { ca: ca.certPem }, { PGSSLROOTCERT: '/no/root' });
    expect(await handshake(made.finish(made.target(), 'h'), 'name', 'h')).toMatchObject({
      version: 'TLSv1.3',
    });
  });

  it("treats system as Node's roots", async () => {
    const made = await plan('verify-full', undefined, { PGSSLROOTCERT: 'system' });
    expect(await handshake(made.finish(made.target(), 'db.test'), 'name', 'db.test')).toEqual({
      code: CHAIN,
    });
  });

  it('reads neither PGSSLMODE nor empty variables', async () => {
    const env = { PGSSLMODE: 'disable', PGSSLROOTCERT: '', PGSSLCERT: '', PGSSLKEY: '' };
    const made = await plan('require', undefined, env);
    expect(await handshake(made.finish(made.target(), 'h'), 'name', 'h')).toMatchObject({
      version: 'TLSv1.3',
    });
  });

  it('reads nothing and encrypts nothing with disable', async () => {
    const made = await plan('disable', undefined, { PGSSLROOTCERT: '/no/root', PGSSLCERT: '/no/cert' });
    expect(made.mode).toBe('disable');
    expect(made.target()).toBe(false);
    expect(made.finish(made.target(), 'h')).toBe(false);
  });

  it('creates new options with one shared context for each attempt', async () => {
    const made = await plan('verify-full', { ca: ca.certPem });
    const [one, other] = [made.target(), made.target()] as [tls.ConnectionOptions, tls.ConnectionOptions];
    expect(one).not.toBe(other);
    one.rejectUnauthorized = false;
    expect(other.rejectUnauthorized).toBe(true);
    expect(one.secureContext).toBe(other.secureContext);
    expect(made.finish(one, 'h')).toMatchObject({ secureContext: one.secureContext });
  });
});

describe('finish', () => {
  const changing = async (
    mode: SslMode,
    ssl: SslOptions | undefined,
    change: (options: tls.ConnectionOptions) => tls.ConnectionOptions | false,
    host: string,
  ) => {
    const made = await plan(mode, ssl);
    const target = made.target();
    return made.finish(change(target === false ? {} : target), host);
  };

  it('verifies with roots that a hook added, in a separate context', async () => {
    const made = await plan('verify-full', { ca: otherCa.certPem });
    const target = made.target() as tls.ConnectionOptions;
    const options = made.finish({ ...target, ca: ca.certPem }, 'db.test') as tls.ConnectionOptions;
    expect(options.secureContext).not.toBe(target.secureContext);
    expect(await handshake(options, 'name', 'db.test')).toMatchObject({ version: 'TLSv1.3' });
    expect(await handshake(options, 'name', 'other.test')).toMatchObject({ version: 'TLSv1.3' });
    const elsewhere = made.finish({ ...target, ca: ca.certPem }, 'other.test');
    expect(await handshake(elsewhere, 'name', 'other.test')).toEqual({ code: NAME });
  });

  it('keeps the client certificate when a hook adds roots', async () => {
    const ssl = { cert: client.certPem, key: client.keyPem };
    const options = await changing(
      'require',
      ssl,
      (target) => Object.assign(target, { ca: ca.certPem }),
      'h',
    );
    expect(await handshake(options, 'asking', 'h')).toMatchObject({ said: { client: 'client' } });
  });

  it('presents a client certificate that a hook added, and hides its key', async () => {
    const { certPem: cert, keyPem: key } = client;
    const options = await changing('require', undefined, (target) => ({ ...target, cert, key }), 'h');
    expect(inspect(options, { depth: 9, showHidden: true })).not.toContain('PRIVATE KEY');
    expect(await handshake(options, 'asking', 'h')).toMatchObject({ said: { client: 'client' } });
  });

  it('verifies the chain under require once a hook sets roots', async () => {
    const options = await changing(
      'require',
      undefined,
      (target) => ({ ...target, ca: otherCa.certPem }),
      'h',
    );
    expect(await handshake(options, 'name', 'h')).toEqual({ code: CHAIN });
  });

  it('keeps the minimum version when a hook changes other options, and accepts a new one from the hook', async () => {
    const tighter = { minVersion: 'TLSv1.3' } as const;
    const kept = await changing(
      'require',
      tighter,
      (target) => ({ ...target, ciphers: tls.DEFAULT_CIPHERS }),
      'h',
    );
    expect(await handshake(kept, 'old', 'h')).toHaveProperty('code');
    const own = await changing('require', undefined, (target) => ({ ...target, ...tighter }), 'h');
    expect(await handshake(own, 'old', 'h')).toHaveProperty('code');
  });

  it("calls a hook's checkServerIdentity with the verified name", async () => {
    const names: string[] = [];
    const checkServerIdentity = (name: string): undefined => void names.push(name);
    const options = await changing(
      'verify-full',
      { ca: ca.certPem },
      (target) => ({ ...target, checkServerIdentity }),
      '127.0.0.1',
    );
    expect(await handshake(options, 'name', '127.0.0.1')).toMatchObject({ version: 'TLSv1.3' });
    expect(names).toEqual(['127.0.0.1']);
  });

  it.each<[SslMode]>([['disable'], ['require'], ['verify-full']])(
    "uses the hook's replaced options as they are, and verifies the name, under %s",
    async (mode) => {
      const replaced = (host: string) => changing(mode, undefined, () => ({ ca: ca.certPem }), host);
      expect(await handshake(await replaced('db.test'), 'name', 'db.test')).toMatchObject({
        version: 'TLSv1.3',
      });
      expect(await handshake(await replaced('127.0.0.1'), 'localhost', '127.0.0.1')).toEqual({ code: NAME });
      const trusting = await changing(mode, undefined, () => ({ rejectUnauthorized: false }), 'h');
      expect(await handshake(trusting, 'name', 'h')).toMatchObject({ version: 'TLSv1.3' });
    },
  );

  it('uses a SecureContext that a hook created', async () => {
    const secureContext = tls.createSecureContext({ ca: ca.certPem });
    const options = await changing(
      'verify-full',
      undefined,
      (target) => ({ ...target, secureContext }),
      'db.test',
    );
    expect(options).toMatchObject({ secureContext });
    expect(await handshake(options, 'name', 'db.test')).toMatchObject({ version: 'TLSv1.3' });
  });

  it('lets a hook disable encryption', async () => {
    expect(await changing('verify-full', undefined, () => false, 'h')).toBe(false);
  });

  it('does not change the object of the hook', async () => {
    const made = await plan('verify-full');
    const given = { ca: ca.certPem, servername: '127.0.0.1' };
    made.finish(given, 'h');
    expect(given).toEqual({ ca: ca.certPem, servername: '127.0.0.1' });
  });

  it.each([true, undefined, null, 'require'])('refuses %o, which the driver would interpret', async (ssl) => {
    const made = await plan('verify-full');
    expect(() => made.finish(ssl as never, 'h')).toThrow(
      new ConfigError('ssl must be false or an object of TLS options'),
    );
  });

  it.each<[string, tls.ConnectionOptions, string]>([
    ['roots without PEM', { ca: 'canary' }, 'ssl.ca: holds no PEM certificate'],
    ['an empty list of roots', { ca: [] }, 'ssl.ca: holds no PEM certificate'],
    ['a server name that is not a string', { servername: 5 as never }, 'ssl.servername must be a string'],
    [
      'a checkServerIdentity that is not a function',
      { checkServerIdentity: 'no' as never },
      'ssl.checkServerIdentity must be a function',
    ],
    ['a key without PEM', { key: 'canary' }, 'ssl of the connection target: cannot be used for TLS'],
  ])('refuses %s from a hook', async (_title, added, message) => {
    await expect(changing('require', undefined, (target) => ({ ...target, ...added }), 'h')).rejects.toThrow(
      message,
    );
    await expect(changing('require', undefined, () => added, 'h')).rejects.toThrow(message);
  });
});
