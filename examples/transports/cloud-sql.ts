import type { Connector, ConnectionOptions } from '@google-cloud/cloud-sql-connector';
import { newPool, type Config, type InstrumentedPool, type PoolOptions } from '../../src/index.js';

/** A pool on Cloud SQL, whose connector opens the TLS connections; `config.host` is only the name in telemetry. */
export async function cloudSqlPool(
  connector: Connector,
  instance: ConnectionOptions,
  config: Config,
  options?: PoolOptions,
): Promise<InstrumentedPool> {
  const { stream } = await connector.getOptions(instance);
  return await newPool(
    { ...config, sslMode: 'disable' },
    { ...options, dial: () => ({ stream: stream(), encrypted: true }) },
  );
}
