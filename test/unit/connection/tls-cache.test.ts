import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createCa,
  type CertificateAuthority,
  type IssuedCertificate,
} from '../../../local-rds/certificates.js';
import { planTls } from '../../../src/connection/tls.js';
import { ConfigError } from '../../../src/errors.js';
import { sslSettings, type SslOptions } from '../../../src/settings/ssl-options.js';

let folder: string;
let authorities: CertificateAuthority[];
let clients: IssuedCertificate[];
const root = (index: number): string => authorities[index]?.certPem ?? '';
const identity = (index: number): SslOptions => ({
  cert: clients[index]?.certPem ?? '',
  key: clients[index]?.keyPem ?? '',
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgauge-tls-cache-'));
  authorities = await Promise.all(Array.from({ length: 10 }, () => createCa()));
  const [first] = authorities as [CertificateAuthority];
  clients = [await first.issue({ commonName: 'client1' }), await first.issue({ commonName: 'client2' })];
});
afterAll(() => rm(folder, { recursive: true }));

/** The context of a pool with these options. */
async function contextOf(ssl: SslOptions | undefined, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const plan = await planTls('verify-full', sslSettings(ssl, 'verify-full'), env);
  return (plan.target() as ConnectionOptions).secureContext;
}

describe('the SecureContext of a pool', () => {
  it('is shared with pools that have the same roots, given as one string, as a list or by file', async () => {
    const path = join(folder, 'root.pem');
    await writeFile(path, root(0));
    const context = await contextOf({ ca: root(0) });
    expect(await contextOf({ ca: [root(0)] })).toBe(context);
    expect(await contextOf({ ca: Buffer.from(root(0)) })).toBe(context);
    expect(await contextOf(undefined, { PGSSLROOTCERT: path })).toBe(context);
  });

  it('is not shared with other roots, another order of roots or another minimum version', async () => {
    const context = await contextOf({ ca: root(0) });
    expect(await contextOf({ ca: root(1) })).not.toBe(context);
    expect(await contextOf({ ca: [root(0), root(1)] })).not.toBe(await contextOf({ ca: [root(1), root(0)] }));
    expect(await contextOf({ ca: root(0), minVersion: 'TLSv1.3' })).not.toBe(context);
  });

  it('is created again for the next pool when the root file has changed', async () => {
    const path = join(folder, 'changing.pem');
    await writeFile(path, root(0));
    const context = await contextOf(undefined, { PGSSLROOTCERT: path });
    await writeFile(path, root(1));
    const changed = await contextOf(undefined, { PGSSLROOTCERT: path });
    expect(changed).not.toBe(context);
    expect(changed).toBe(await contextOf({ ca: root(1) }));
  });

  it('with a client certificate is shared only by pools with the same certificate and key', async () => {
    const ca = root(0);
    const context = await contextOf({ ca, ...identity(0) });
    expect(await contextOf({ ca, ...identity(0) })).toBe(context);
    expect(await contextOf({ ca, ...identity(1) })).not.toBe(context);
    expect(await contextOf({ ca })).not.toBe(context);
    await expect(contextOf({ ca, ...identity(0), key: clients[1]?.keyPem })).rejects.toThrow(ConfigError);
  });

  it("is not shared with Node's roots, which a program may change", async () => {
    expect(await contextOf(undefined)).not.toBe(await contextOf(undefined));
  });

  it('is cached for the eight most recently used contents', async () => {
    const context = await contextOf({ ca: root(0) });
    for (let n = 1; n <= 7; n += 1) await contextOf({ ca: root(n) });
    expect(await contextOf({ ca: root(0) })).toBe(context);
    for (let n = 1; n <= 8; n += 1) await contextOf({ ca: root(n) });
    expect(await contextOf({ ca: root(0) })).not.toBe(context);
  });

  it('is not cached for certificates that cannot be parsed', async () => {
    const broken = root(0).replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
    for (let n = 0; n < 2; n += 1) await expect(contextOf({ ca: broken })).rejects.toThrow(ConfigError);
  });
});
