import { afterAll, beforeAll } from 'vitest';
import { startGate, type CertificateAuthority, type Gate } from '../../local-rds/index.js';
import type { CertificateRequest, LocalPostgres } from '../../local-rds/index.js';

/**
 * Starts TLS endpoints in front of a server for the calling file's tests, one for each certificate; returns a function
 * that returns the address of one.
 */
export function useTlsGates<Name extends string>(
  server: () => LocalPostgres,
  certificates: Readonly<
    Record<Name, { readonly ca: CertificateAuthority; readonly for: CertificateRequest }>
  >,
): (name: Name, host?: string) => { readonly host: string; readonly port: number } {
  const gates = new Map<string, Gate>();
  beforeAll(async () => {
    const { socketDir, host, port } = server();
    for (const [name, { ca, for: request }] of Object.entries<(typeof certificates)[Name]>(certificates)) {
      const { certPem, keyPem } = await ca.issue(request);
      const gate = await startGate({
        backend: { socketPath: `${socketDir}/.s.PGSQL.${port}`, host, port },
        tls: { cert: certPem, key: keyPem },
        region: 'eu-central-1',
        iamUsers: [],
        credentials: () => undefined,
      });
      gates.set(name, gate);
    }
  });
  afterAll(() => {
    for (const gate of gates.values()) gate.close();
  });
  return (name, host = 'localhost') => {
    const port = gates.get(name)?.port;
    if (port === undefined) throw new Error('the endpoints of this file do not run yet');
    return { host, port };
  };
}
