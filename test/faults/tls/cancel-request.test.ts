import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createCa } from '../../../local-rds/index.js';
import { useFakeServer } from '../../support/fake-server.js';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { useTlsGates } from '../../support/tls-gates.js';
import { rejection, until } from '../../support/until.js';

const ca = await createCa();
const server = usePostgres();
const makePool = usePools(server);
const gate = useTlsGates(server, { localhost: { ca, for: { dnsNames: ['localhost'] } } });
/** Forwards to the gate and records what clients sent. */
const middle = useFakeServer();
const upstreams: Socket[] = [];

afterEach(() => {
  for (const upstream of upstreams.splice(0)) upstream.destroy();
});

test('a cancel request sends the same TLS server name as the connection whose query it cancels', async () => {
  middle.reply = (session, piece) => {
    const { socket } = session;
    if (piece.length === 0) {
      const upstream = connect(gate('localhost').port, '127.0.0.1').on('error', () => undefined);
      upstreams.push(upstream);
      upstream.pipe(socket);
      socket.pipe(upstream);
    }
  };
  const pool = await makePool(
    { host: 'localhost', port: middle.port },
    { sslMode: 'verify-full' },
    { ssl: { ca: ca.certPem }, queryTimeoutMs: 700 },
  );
  expect((await rejection(pool.query('select pg_sleep(60)'))).message).toContain('timeout');
  await until('the cancel request is sent', () => (middle.sessions[1]?.received.length ?? 0) > 8);
  // Only the first message of the handshake is readable, and it contains the name.
  const named = middle.sessions.map(({ received }) => received.includes('localhost'));
  expect(named).toEqual([true, true]);
  const cancelled = `select 1 from pg_stat_activity where state = 'active' and query = 'select pg_sleep(60)'`;
  await until('it is cancelled', async () => (await server().query(cancelled)).rowCount === 0);
});
