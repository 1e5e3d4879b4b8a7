import { startAzureIdentity, startGcpMetadata, startSts, type LocalRds } from '../../../local-rds/index.js';

/** The role of another account that a guide assumes. */
const ROLE = { arn: 'arn:aws:iam::222222222222:role/orders-login', externalId: 'shop' };
const SERVICE_ACCOUNT = 'app@shop-123.iam';
const IDENTITY = 'orders-app';
const CLIENT_ID = '00000000-0000-0000-0000-000000000000';

/** The cloud services from which the programs fetch credentials. */
export interface Clouds {
  /** Variables that direct their SDKs to these services. */
  readonly env: NodeJS.ProcessEnv;
  /** Inserts the randomly generated names into a program. */
  adapt(code: string): string;
  stop(): Promise<unknown>;
}

/** Starts stand-ins for the cloud services, whose identities may log in at `rds`. */
export async function startClouds(rds: LocalRds): Promise<Clouds> {
  const { credentials, region } = rds;
  const sts = await startSts({ credentials, region, roles: [ROLE] });
  const gcp = await startGcpMetadata({ email: `${SERVICE_ACCOUNT}.gserviceaccount.com` });
  const azure = await startAzureIdentity({ userAssigned: [IDENTITY] });
  await rds.createUser(SERVICE_ACCOUNT, { verifier: gcp.verifier() });
  await rds.createUser(IDENTITY, { verifier: azure.verifier() });
  const clientId = azure.userAssigned[0]?.clientId ?? '';
  return {
    env: { ...sts.env, GCE_METADATA_HOST: gcp.host, ...azure.env, AZURE_TOKEN_CREDENTIALS: 'prod' },
    adapt: (code) => code.replaceAll(CLIENT_ID, clientId),
    stop: () => Promise.all([sts.stop(), gcp.stop(), azure.stop()]),
  };
}
