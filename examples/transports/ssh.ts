import type { Client } from 'ssh2';
import {
  newPool,
  type Config,
  type DialFunction,
  type InstrumentedPool,
  type PoolOptions,
} from '../../src/index.js';

/** Opens a channel to the database through a connected SSH client. */
export function throughSsh(ssh: Client): DialFunction {
  return ({ host, port }, { signal }) =>
    new Promise((resolve, reject) => {
      ssh.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
        if (error) reject(error);
        else resolve(channel);
      });
      // A client that has lost its connection never calls back.
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
}

/** A pool through a bastion: `config.host` is the database's own name, which tokens and certificates are for. */
export async function sshPool(ssh: Client, config: Config, options?: PoolOptions): Promise<InstrumentedPool> {
  return await newPool({ sslMode: 'verify-full', ...config }, { ...options, dial: throughSsh(ssh) });
}
