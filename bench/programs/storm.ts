// All connections of a pool at once, over TLS with verified certificates, from making the pool to the last hand-over.
import type { PoolClient } from 'pg';
import { spentOn } from './clock.js';
import { openPool, type PoolRecipe } from './open-pool.js';
import { IDLE_TIMEOUT_MS } from './plain-pool.js';
import type { Prepare, Settings } from './program.js';

/** `raw` with a password and one root; `raw signer` and `raw signer-each` with the bundle and tokens, of one signer or of one for each connection. */
export function stormPool(contender: string, { rds }: Settings, max: number, logs = false): PoolRecipe {
  const { host, port, database, region, iamUser, passwordUser, password, caPem, bundlePem } = rds;
  const server = { host, port, database };
  return {
    async raw() {
      const common = { ...server, max, idleTimeoutMillis: IDLE_TIMEOUT_MS };
      if (!contender.includes('signer')) {
        return { ...common, user: passwordUser, password, ssl: { ca: caPem, rejectUnauthorized: true } };
      }
      const { Signer } = await import('@aws-sdk/rds-signer');
      const newSigner = () => new Signer({ hostname: host, port, username: iamUser, region });
      const shared = newSigner();
      const each = contender.includes('each');
      return {
        ...common,
        user: iamUser,
        password: () => (each ? newSigner() : shared).getAuthToken(),
        ssl: { ca: bundlePem, rejectUnauthorized: true },
      };
    },
    pgauge: () => ({
      config: {
        ...server,
        user: iamUser,
        sslMode: 'verify-full',
        maxOpenConns: max,
        dynamicAuth: { awsRdsIam: { region } },
      },
      options: { ssl: { ca: bundlePem }, ...(logs && { logger: null }) },
    }),
  };
}

export const prepare: Prepare = (contender, { connections = 1 }, settings) => {
  const recipe = stormPool(contender, settings, connections);
  const words = contender.split(' ');
  let registered = false;
  const storm = async (): Promise<{ wallMs: number; cpuMs: number }> => {
    let clients: PoolClient[] = [];
    // The SDK is registered once in a process, with the first pool.
    const kind = registered ? words.filter((word) => word !== 'metrics').join(' ') : contender;
    registered = true;
    let end = (): Promise<void> => Promise.resolve();
    const spent = await spentOn(async () => {
      const pool = await openPool(kind, recipe);
      end = () => pool.end();
      clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
    });
    for (const client of clients) client.release();
    await end();
    return spent;
  };
  return settings.size['warmUp'] === 0
    ? Promise.resolve({ run: storm, end: () => Promise.resolve() })
    : storm().then(() => ({ run: storm, end: () => Promise.resolve() }));
};
