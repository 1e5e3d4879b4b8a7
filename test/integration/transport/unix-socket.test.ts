import { expect, test } from 'vitest';
import { unixSocketPool } from '../../../examples/transports/unix-socket.js';
import { RecordingLogger } from '../../support/logger.js';
import { usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

const server = usePostgres();

test('a pool connects to a unix socket, and cancels through it', async () => {
  const { port, user, database, socketDir } = server();
  const log = new RecordingLogger();
  const config = { host: 'localhost', port, user, database, maxOpenConns: 1 };
  const pool = await unixSocketPool(config, socketDir, { logger: log, queryTimeoutMs: 700 });
  const { rows } = await pool.query('select inet_client_addr() as address');
  expect(rows).toEqual([{ address: null }]);
  expect((await rejection(pool.query('select pg_sleep(60)'))).message).toContain('timeout');
  await pool.query('select 1');
  expect(pool.stat().newConnsCount).toBe(1);
  await pool.end();
  expect(log.closeReasons).toEqual(['pool_end']);
});

test('a socket that does not exist rejects with the code of the system', async () => {
  const { port, user, database, socketDir } = server();
  const config = { host: 'localhost', port, user, database };
  const pool = await unixSocketPool(config, `${socketDir}/none`, { logger: new RecordingLogger() });
  expect(await rejection(pool.query('select 1'))).toMatchObject({ code: 'ENOENT' });
  await pool.end();
});
