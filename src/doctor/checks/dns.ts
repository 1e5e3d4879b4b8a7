import { isIP } from 'node:net';
import { aside } from '../../auth/doctor.js';
import { failed, ok, type Outcome } from '../report.js';
import { LookupProcessError, resolveHost } from '../resolver.js';
import type { Session } from '../session.js';

/** Resolves the host as a connection does. */
export async function checkDns(session: Session, signal: AbortSignal): Promise<Outcome> {
  const { host } = session.get('config');
  const family = isIP(host);
  if (family !== 0) {
    session.set('addresses', [{ address: host, family }]);
    return ok(`${host} is an address, nothing to look up`, { facts: { addresses: [host] } });
  }
  try {
    const addresses = await resolveHost(host, signal);
    session.set('addresses', addresses);
    return ok(addresses.map(({ address, family }) => `${address} (IPv${family})`).join(', '), {
      facts: { addresses: addresses.map(({ address }) => address) },
    });
  } catch (error) {
    if (error instanceof LookupProcessError) {
      return failed(
        'lookup_failed',
        error.message,
        'see that this user may start Node as a process of its own here, and that nothing ends it (limits of processes or memory, a security policy)',
      );
    }
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND') {
      return failed(
        'host_unknown',
        `ENOTFOUND: no name server knows ${host}`,
        `check the spelling against the endpoint that the database shows${aside('endpoint')}; a private name resolves only inside its network or VPN`,
      );
    }
    return failed(
      'dns_unavailable',
      `${signal.aborted ? 'no answer in time' : (code ?? 'error')}: the name server gave no answer for ${host}`,
      "check this machine's name servers (/etc/resolv.conf; in containers: the cluster's DNS) and try again",
    );
  }
}
