import type { LocalRds } from '../../local-rds/index.js';
import type { Config, InstrumentedPool, PoolOptions } from '../../src/index.js';
import type { RecordingLogger } from './logger.js';
import { usePools } from './pools.js';

/** A config that logs into a stand-in with tokens. */
export function iamConfig(rds: LocalRds, config: Partial<Config> = {}): Config {
  return {
    host: rds.host,
    port: rds.port,
    user: rds.user,
    database: rds.database,
    dynamicAuth: { awsRdsIam: { region: rds.region } },
    ...config,
  };
}

/** Gives what makes pools that log into a stand-in with tokens, its certificate unverified; they are ended after each test. */
export function useIamPools(
  rds: () => LocalRds,
): (
  config?: Partial<Config>,
  options?: PoolOptions,
) => Promise<InstrumentedPool & { readonly log: RecordingLogger }> {
  const makePool = usePools(() => ({ user: rds().user, password: '', database: rds().database }));
  return (config, options) =>
    makePool(rds(), { ...iamConfig(rds()), sslMode: 'require', ...config }, options);
}
