// All connections of a pool at once, over TLS with verified certificates, from creating the pool to the last hand-over.
import { createSecureContext } from 'node:tls';
import type { PoolClient } from 'pg';
import { logIn } from './bare-sockets.js';
import { spentOn, type Spent } from './clock.js';
import { openPool, type PoolRecipe } from './open-pool.js';
import { IDLE_TIMEOUT_MS } from './plain-pool.js';
import type { Prepare, Sample, Settings } from './program.js';

/**
 * `raw scram` uses a password and one root; `raw clear-text` one root and one token, sent as a clear-text password;
 * `raw signer` and `raw signer-each` the bundle and tokens, of one signer or of one signer per connection.
 */
export function stormPool(contender: string, { rds }: Settings, max: number, logs = false): PoolRecipe {
  const { host, port, database, region, iamUser, passwordUser, password, caPem, bundlePem } = rds;
  const server = { host, port, database };
  return {
    async raw() {
      const common = { ...server, max, idleTimeoutMillis: IDLE_TIMEOUT_MS };
      const ssl = { ca: caPem, rejectUnauthorized: true };
      if (contender.includes('scram')) return { ...common, user: passwordUser, password, ssl };
      if (contender.includes('clear-text')) {
        return { ...common, user: iamUser, password: await oneToken(rds), ssl };
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
      options: {
        ssl: { ca: bundlePem, ...(contender.includes('direct') && { negotiation: 'direct' }) },
        ...(logs && { logger: null }),
      },
    }),
  };
}

let token: Promise<string> | undefined;

/** A token that is signed once per process and used like a fixed password. */
function oneToken({ host, port, iamUser, region }: Settings['rds']): Promise<string> {
  return (token ??= import('@aws-sdk/rds-signer').then(({ Signer }) =>
    new Signer({ hostname: host, port, username: iamUser, region }).getAuthToken(),
  ));
}

async function bareStorm({ rds }: Settings, connections: number): Promise<Spent> {
  const { host, port, database, iamUser: user, caPem } = rds;
  const password = await oneToken(rds);
  let close = (): void => undefined;
  const spent = await spentOn(async () => {
    const login = { host, port, database, user, password, secureContext: createSecureContext({ ca: caPem }) };
    const sockets = await Promise.all(Array.from({ length: connections }, () => logIn(login)));
    close = () => sockets.forEach((socket) => socket.destroy());
  });
  close();
  return spent;
}

export const prepare: Prepare = async (contender, { connections = 1 }, settings) => {
  const recipe = stormPool(contender, settings, connections);
  const storm = async (): Promise<Spent & Sample> => {
    if (contender.startsWith('bare')) return { ...(await bareStorm(settings, connections)) };
    let clients: PoolClient[] = [];
    let end = (): Promise<void> => Promise.resolve();
    const spent = await spentOn(async () => {
      const pool = await openPool(contender, recipe);
      end = () => pool.end();
      clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
    });
    for (const client of clients) client.release();
    await end();
    return { ...spent };
  };
  for (let done = 0; done < (settings.size['warmUp'] ?? 0); done += connections) await storm();
  return { run: storm, end: () => Promise.resolve() };
};
