import { devNull } from 'node:os';
import { startImds, startLocalRds, type LocalRds } from '../../local-rds/index.js';

/** A server that requires tokens, and the environment to connect to it. */
export interface Server extends AsyncDisposable {
  readonly rds: LocalRds;
  /** The application's environment, as on an EC2 instance: region and credentials come from the metadata service. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a stand-in for an RDS instance with a user for migrations, and a stand-in for the metadata service. */
export async function startServer(): Promise<Server> {
  const rds = await startLocalRds();
  const { host, port, user, database, region, caFile } = rds;
  const imds = await startImds({
    region,
    credentials: (lifetimeMs) => rds.credentials.issueTemporary({ lifetimeMs }),
  });
  await rds.createUser('migrator');
  await rds.postgres.query('grant create on schema public to migrator', undefined, database);
  return {
    rds,
    env: {
      ...{ DB_HOST: host, DB_PORT: String(port), DB_NAME: database },
      ...{ DB_USER: user, DB_MIGRATION_USER: 'migrator', PGSSLROOTCERT: caFile },
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${imds.port}`,
      // Keeps the user's own account out.
      ...{ AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull },
    },
    [Symbol.asyncDispose]: async () => {
      await imds.stop();
      await rds.stop();
    },
  };
}
