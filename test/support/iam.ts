import type { LocalRds } from '../../local-rds/index.js';
import type { Config, InstrumentedPool, PoolOptions } from '../../src/index.js';
import type { RecordingLogger } from './logger.js';
import { usePools } from './pools.js';
import { iamConfig } from './rds-configs.js';

/**
 * Returns a function that makes pools that log into a stand-in with tokens, without verifying its certificate; ends the
 * pools after each test.
 */
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
