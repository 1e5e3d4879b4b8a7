import { describe, expect, it } from 'vitest';
import type { LocalRds } from '../../../local-rds/index.js';
import { useAzure, useGcp } from '../../support/clouds.js';
import { useLocalRds } from '../../support/servers.js';
import { diagnose, expectFailure, expectWarning } from './run-doctor.js';

const rds = useLocalRds();
const gcp = useGcp(rds);
const azure = useAzure(rds, { userAssigned: ['my-identity'] });

const argsFor = ({ port, database }: LocalRds, user: string, ...flags: string[]): string[] => [
  ...['--host', 'localhost', '--port', String(port), '--database', database],
  ...['--user', user, '--ssl-mode', 'verify-full', ...flags],
];
const env = (more: Readonly<Record<string, string>>) => ({ PGSSLROOTCERT: rds().caFile, ...more });

describe('the doctor with Google Cloud’s credentials', () => {
  const metadata = () => env({ GCE_METADATA_HOST: gcp.server().host });

  it('names the source and the account of the credentials, and logs in', async () => {
    const args = argsFor(rds(), gcp.server().user, '--gcp-cloud-sql-iam');
    const diagnosis = await diagnose({ args, env: metadata(), secrets: ['ya29.'] });
    expect(diagnosis.failed).toEqual([]);
    expect(diagnosis.step('credentials')).toMatchObject({
      status: 'ok',
      found: expect.stringContaining(
        'from metadata server: app@local-project.iam.gserviceaccount.com',
      ) as string,
      facts: { source: 'metadata server', identity: gcp.server().email },
    });
    expect(diagnosis.step('login').status).toBe('ok');
  });

  it("says that the user is not the account's, and why the login is refused", async () => {
    const { email, user } = gcp.server();
    await rds().createUser(email, { verifier: gcp.server().verifier() });
    const diagnosis = await diagnose({ args: argsFor(rds(), email, '--gcp-cloud-sql-iam'), env: metadata() });
    expectWarning(diagnosis, 'credentials', 'user_mismatch', `--user ${user}`);
    expectFailure(diagnosis, 'login', 'token_rejected', `the database user of a service account is ${user}`);
  });

  it('says that the user is not an IAM user', async () => {
    await rds().createUser('plain', { password: 'something-else' });
    const diagnosis = await diagnose({
      args: argsFor(rds(), 'plain', '--gcp-cloud-sql-iam'),
      env: metadata(),
    });
    expectFailure(diagnosis, 'login', 'token_rejected', 'plain is not an IAM user of the instance');
  });

  it('says that there are no credentials', async () => {
    const diagnosis = await diagnose({
      args: argsFor(rds(), 'app', '--gcp-product', 'alloydb'),
      env: env({ METADATA_SERVER_DETECTION: 'none' }),
    });
    expectFailure(diagnosis, 'credentials', 'credentials_missing', 'gcloud auth application-default login');
  });
});

describe('the doctor with Entra ID credentials', () => {
  const endpoint = () => env({ ...azure.server().env, AZURE_TOKEN_CREDENTIALS: 'prod' });

  it('names principal, client ID and expiration, and logs in', async () => {
    const { clientId } = azure.server().userAssigned[0] ?? { clientId: '' };
    const args = argsFor(rds(), 'my-identity', '--azure-client-id', clientId);
    const secrets = ['eyJ0', azure.server().env.IDENTITY_HEADER];
    const diagnosis = await diagnose({ args, env: endpoint(), secrets });
    expect(diagnosis.failed).toEqual([]);
    expect(diagnosis.step('credentials')).toMatchObject({
      status: 'ok',
      facts: { source: 'managed identity', identity: 'my-identity', client_id: clientId },
    });
    expect(diagnosis.step('login').status).toBe('ok');
  });

  it('says that the user is not the principal, and why the login is refused', async () => {
    const diagnosis = await diagnose({ args: argsFor(rds(), 'my-identity', '--azure-ad'), env: endpoint() });
    expectWarning(diagnosis, 'credentials', 'user_mismatch', '--user local-app');
    expectFailure(diagnosis, 'login', 'token_rejected', 'pgaadauth_list_principals');
  });

  it('says that there are no credentials', async () => {
    // Without any variable, the tools of a developer's machine would be tried too; this PATH has none of them.
    const diagnosis = await diagnose({ args: argsFor(rds(), 'app', '--azure-ad'), env: env({ PATH: '/' }) });
    expectFailure(diagnosis, 'credentials', 'credentials_missing', 'or run az login');
  });

  it('names the configured source that returns nothing', async () => {
    const { env: variables } = azure.server();
    const diagnosis = await diagnose({
      args: argsFor(rds(), 'app', '--azure-ad'),
      env: env({ ...variables, IDENTITY_HEADER: 'canary-of-a-header', AZURE_TOKEN_CREDENTIALS: 'prod' }),
      secrets: ['canary-of-a-header'],
    });
    expectFailure(diagnosis, 'credentials', 'credentials_unavailable', 'IDENTITY_ENDPOINT');
  });
});
