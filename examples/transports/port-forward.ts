import { connect } from 'node:net';
import { newPool, type Config, type InstrumentedPool, type PoolOptions } from '../../src/index.js';

/** A pool through a local port forwarded by an SSM session or `ssh -L`; `config.host` is the database's own name. */
export async function forwardedPool(
  localPort: number,
  config: Config,
  options?: PoolOptions,
): Promise<InstrumentedPool> {
  return await newPool(
    { sslMode: 'verify-full', ...config },
    { ...options, dial: () => connect(localPort, '127.0.0.1') },
  );
}
