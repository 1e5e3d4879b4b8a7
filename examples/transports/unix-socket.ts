import { connect } from 'node:net';
import { newPool, type Config, type InstrumentedPool, type PoolOptions } from '../../src/index.js';

/** A pool on the unix socket of a local server; `folder` is the server's `unix_socket_directories`. */
export async function unixSocketPool(
  config: Config,
  folder = '/var/run/postgresql',
  options?: PoolOptions,
): Promise<InstrumentedPool> {
  return await newPool(
    { ...config, sslMode: 'disable' },
    { ...options, dial: ({ port }) => connect(`${folder}/.s.PGSQL.${port}`) },
  );
}
