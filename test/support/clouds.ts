import { afterAll, afterEach, beforeAll } from 'vitest';
import {
  startAzureIdentity,
  startGcpMetadata,
  type AzureIdentityOptions,
  type AzureManagedIdentity,
  type GcpMetadata,
  type LocalRds,
} from '../../local-rds/index.js';
import type { Config, InstrumentedPool, PoolOptions } from '../../src/index.js';
import type { RecordingLogger } from './logger.js';
import { usePools } from './pools.js';

type MakeCloudPool = (
  config?: Partial<Config>,
  options?: PoolOptions,
) => Promise<InstrumentedPool & { readonly log: RecordingLogger }>;

/**
 * Starts Google Cloud's metadata server before the file's tests, and makes pools that log in as its service account.
 */
export function useGcp(rds: () => LocalRds): { server(): GcpMetadata; readonly makePool: MakeCloudPool } {
  let server: GcpMetadata | undefined;
  beforeAll(async () => {
    server = await startGcpMetadata();
    await rds().createUser(server.user, { verifier: server.verifier() });
  });
  afterEach(() => {
    server?.set({});
    server?.setTokenLifetime(3_600_000);
    server?.lieAbout();
  });
  afterAll(() => server?.stop());
  const running = (): GcpMetadata => started(server);
  return {
    server: running,
    makePool: cloudPools(rds, () => ({ user: running().user, dynamicAuth: { gcpCloudSqlIam: {} } })),
  };
}

/** Starts Azure's managed identity endpoints for the file's tests; makes pools with the system-assigned identity. */
export function useAzure(
  rds: () => LocalRds,
  options?: AzureIdentityOptions,
): { server(): AzureManagedIdentity; readonly makePool: MakeCloudPool } {
  let server: AzureManagedIdentity | undefined;
  beforeAll(async () => {
    server = await startAzureIdentity(options);
    const identities = [...server.userAssigned, ...(server.systemAssigned ? [server.systemAssigned] : [])];
    for (const { name } of identities) await rds().createUser(name, { verifier: server.verifier() });
  });
  afterEach(() => {
    server?.set({});
    server?.lieAbout(undefined);
  });
  afterAll(() => server?.stop());
  const running = (): AzureManagedIdentity => started(server);
  return {
    server: running,
    makePool: cloudPools(rds, () => ({
      user: running().systemAssigned?.name ?? '',
      dynamicAuth: { azureAd: {} },
    })),
  };
}

function cloudPools(rds: () => LocalRds, login: () => Pick<Config, 'user' | 'dynamicAuth'>): MakeCloudPool {
  const makePool = usePools(() => ({ user: login().user, password: '', database: rds().database }));
  return (config, options) => makePool(rds(), { ...login(), sslMode: 'require', ...config }, options);
}

function started<T>(server: T | undefined): T {
  if (server === undefined) throw new Error('the stand-in of this file is not running yet');
  return server;
}
