import { startAzureIdentity, startGcpMetadata, type LocalRds } from '../../../local-rds/index.js';
import { createRole } from './roles.js';
import { GRACE_MS, slow, type LoginSource } from './source.js';

/** Both services report lifetimes in whole seconds. */
const SHORTEST_MS = 2_000;

/** Google Cloud access tokens from the metadata server. */
export async function startGoogle(rds: LocalRds, lifetimeMs: number): Promise<LoginSource> {
  const server = await startGcpMetadata();
  const lastsMs = Math.max(SHORTEST_MS, lifetimeMs);
  server.setTokenLifetime(lastsMs, GRACE_MS);
  await createRole(rds, server.user, { verifier: server.verifier() });
  // Another home folder, because the user's own credentials would take precedence over the machine's.
  const home = rds.postgres.socketDir;
  return {
    about: 'access tokens of Google Cloud',
    user: server.user,
    dynamicAuth: { gcpCloudSqlIam: {} },
    env: { GCE_METADATA_HOST: server.host, HOME: home, APPDATA: home },
    lifetimeMs: lastsMs,
    trouble: slow('Google Cloud', server, '/computeMetadata/v1/instance/service-accounts/default/token'),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** Microsoft Entra ID tokens from the endpoint of a managed identity. */
export async function startEntra(rds: LocalRds, lifetimeMs: number): Promise<LoginSource> {
  const server = await startAzureIdentity();
  const lastsMs = Math.max(SHORTEST_MS, lifetimeMs);
  server.setTokenLifetime(lastsMs, GRACE_MS);
  const user = server.systemAssigned?.name ?? '';
  await createRole(rds, user, { verifier: server.verifier() });
  return {
    about: 'tokens of Microsoft Entra ID',
    user,
    dynamicAuth: { azureAd: {} },
    env: { ...server.env, AZURE_TOKEN_CREDENTIALS: 'prod' },
    lifetimeMs: lastsMs,
    trouble: slow('Azure', server, '/msi/token'),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
