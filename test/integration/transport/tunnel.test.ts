import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { forwardedPool } from '../../../examples/transports/port-forward.js';
import { sshPool } from '../../../examples/transports/ssh.js';
import { newDynamicAuthFunc, type Config, type InstrumentedPool } from '../../../src/index.js';
import { Bastion, forward } from '../../support/bastion.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { RecordingLogger } from '../../support/logger.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const NAME = 'orders.abc.eu-central-1.rds.amazonaws.com';

useCleanEnvironment();
/** Accepts only tokens signed for the database's own name and port, which only the bastion can resolve. */
const rds = useLocalRds({ advertisedHost: NAME, advertisedPort: 5432 });
const bastion = new Bastion((name) => (name === NAME ? { host: '127.0.0.1', port: rds().port } : undefined));

beforeAll(() => bastion.listen());
afterAll(() => bastion.close());
beforeEach(() => setEnv(rds().awsEnv));

const config = (): Config => ({
  ...{ host: NAME, port: 5432, user: rds().user, database: rds().database },
  dynamicAuth: { awsRdsIam: { region: rds().region } },
});
const options = () => ({ logger: new RecordingLogger(), ssl: { ca: rds().caPem } });

async function works(pool: InstrumentedPool): Promise<void> {
  const query = async () => (await pool.query<{ one: number }>('select 1 as one')).rows;
  expect(await Promise.all([query(), query(), query()])).toEqual(Array(3).fill([{ one: 1 }]));
}

describe('through an SSH server', () => {
  test("tokens and certificates are for the database's host name", async () => {
    const ssh = await bastion.client();
    const pool = await sshPool(ssh, config(), options());
    await works(pool);
    expect(new Set(bastion.asked)).toEqual(new Set([`${NAME}:5432`]));
    await pool.end();
    ssh.end();
  });

  test('a hook may choose the host and sign for it', async () => {
    const ssh = await bastion.client();
    const sign = await newDynamicAuthFunc(config(), rds().user);
    const pool = await sshPool(
      ssh,
      { ...config(), dynamicAuth: undefined, host: 'cluster.internal' },
      {
        ...options(),
        async beforeConnect(target, context) {
          target.host = NAME;
          await sign(target, context);
        },
      },
    );
    await works(pool);
    await pool.end();
    ssh.end();
  });

  test('a query that times out is cancelled through its own channel', async () => {
    const ssh = await bastion.client();
    const pool = await sshPool(
      ssh,
      { ...config(), maxOpenConns: 1 },
      { ...options(), queryTimeoutMs: 1_000 },
    );
    await pool.query('select 1');
    expect((await rejection(pool.query('select pg_sleep(60)'))).message).toContain('timeout');
    await pool.query('select 2');
    expect(pool.stat().newConnsCount).toBe(1);
    await pool.end();
    ssh.end();
  });

  test('a refused channel rejects with the error of ssh2, and the loss of the SSH connection is noticed', async () => {
    const ssh = await bastion.client();
    const elsewhere = await sshPool(ssh, { ...config(), host: 'other.internal' }, options());
    expect((await rejection(elsewhere.query('select 1'))).message).toMatch(/^\(SSH\) Channel open failure/);
    await elsewhere.end();
    const pool = await sshPool(ssh, config(), options());
    const running = rejection(pool.query('select pg_sleep(60)'));
    await until('the query runs', async () => {
      const sleeping = "select 1 from pg_stat_activity where wait_event = 'PgSleep'";
      return (await rds().postgres.query(sleeping)).rowCount;
    });
    ssh.destroy();
    expect((await running).message).toMatch(/^Connection terminated|disconnected/);
    await until('the loss is noticed', () => pool.totalCount === 0);
    await pool.end();
  });
});

test("through a forwarded port, tokens and certificates are for the database's host name", async () => {
  const tunnel = await forward({ host: '127.0.0.1', port: rds().port });
  const pool = await forwardedPool(tunnel.port, config(), options());
  await works(pool);
  await pool.end();
  tunnel.close();
});
