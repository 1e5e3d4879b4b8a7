import { TLSSocket, type ConnectionOptions, type DetailedPeerCertificate } from 'node:tls';
import type { PoolClient } from 'pg';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createCa } from '../../local-rds/index.js';
import { useCleanEnvironment } from '../support/environment.js';
import { usePools } from '../support/pools.js';
import { usePostgres } from '../support/servers.js';
import { useTlsGates } from '../support/tls-gates.js';

useCleanEnvironment();
const ca = await createCa({ commonName: 'the root' });
const server = usePostgres();
const makePool = usePools(server);
const gate = useTlsGates(server, { localhost: { ca, for: { dnsNames: ['localhost'] } } });
const ssl = { ca: ca.certPem };

afterEach(() => void vi.restoreAllMocks());

/** The arguments with which Node has converted a server's certificate. */
const conversions = () => vi.spyOn(TLSSocket.prototype, 'getPeerCertificate').mock.calls;

const socketOf = (client: PoolClient): TLSSocket =>
  (client as unknown as { connection: { stream: TLSSocket } }).connection.stream;

describe('the certificate of the server', () => {
  test.each(['require', 'verify-ca', 'verify-full'] as const)(
    'is converted without its issuers in mode %s, and is complete for the application',
    async (sslMode) => {
      const pool = await makePool(gate('localhost'), { sslMode }, { ssl });
      const converted = conversions();
      const client = await pool.connect();
      const during = [...converted];
      const { issuerCertificate } = socketOf(client).getPeerCertificate(true);
      client.release();
      expect(during).toEqual([[false]]);
      expect(issuerCertificate.subject.CN).toBe('the root');
    },
  );

  test("is passed with its issuers to a hook's own check", async () => {
    const seen: string[] = [];
    const checkServerIdentity: ConnectionOptions['checkServerIdentity'] = (_name, certificate) => {
      seen.push((certificate as DetailedPeerCertificate).issuerCertificate.subject.CN as string);
      return undefined;
    };
    const pool = await makePool(
      gate('localhost'),
      { sslMode: 'verify-full' },
      {
        ssl,
        beforeConnect: (target) => {
          target.ssl = { ...(target.ssl as ConnectionOptions), checkServerIdentity };
        },
      },
    );
    await pool.query('select 1');
    expect(seen).toEqual(['the root']);
  });
});
