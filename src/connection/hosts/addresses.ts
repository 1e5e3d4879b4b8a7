import dns from 'node:dns';
import { isIP } from 'node:net';
import { untilAborted, withTimeout } from '../../deadline.js';

/** The driver resolves the name itself, and reports failures. */
const BY_NAME = [undefined];

/** The addresses of a host in the resolver's order; `undefined` stands for an address that the driver resolves. */
export async function addressesOf(
  host: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly (string | undefined)[]> {
  if (isIP(host) !== 0) return BY_NAME;
  try {
    const found = await withTimeout(timeoutMs, signal, (limited) => untilAborted(lookup(host), limited));
    return found.length > 1 ? found : BY_NAME;
  } catch {
    signal.throwIfAborted();
    return BY_NAME;
  }
}

function lookup(host: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    // Not destructured, because programs may replace it.
    dns.lookup(host, { all: true }, (error, found) => {
      if (error !== null) reject(error);
      else resolve(found.map(({ address }) => address));
    });
  });
}
