import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { usePostgres } from '../../support/servers.js';
import { diagnose, expectWarning } from './run-doctor.js';

const server = usePostgres();
const CANCEL_REQUEST = 80_877_102;

/** A proxy that drops cancel requests, as RDS Proxy does; returns its port, and how many it dropped. */
async function withoutCancels(): Promise<{ readonly port: number; readonly dropped: () => number }> {
  let dropped = 0;
  const proxy = createServer((client: Socket) => {
    client.on('error', () => undefined);
    client.once('data', (first) => {
      if (first.readInt32BE(4) === CANCEL_REQUEST) {
        dropped++;
        client.end();
        return;
      }
      const upstream = connect(server().port, server().host);
      upstream.on('error', () => undefined);
      upstream.write(first);
      client.pipe(upstream).pipe(client);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  return { port: (proxy.address() as AddressInfo).port, dropped: () => dropped };
}

it('the doctor warns when cancel requests do not reach the server', async () => {
  const { port, dropped } = await withoutCancels();
  const { user, password, database } = server();
  const diagnosis = await diagnose({
    args: ['--host', '127.0.0.1', '--port', String(port), '--ssl-mode', 'disable'],
    env: { PGUSER: user, PGDATABASE: database, PGPASSWORD: password },
  });
  expectWarning(diagnosis, 'cancel', 'cancel_ineffective', 'statement_timeout');
  expect(diagnosis.step('cancel').facts).toMatchObject({ stopped: false });
  // One for each of the two runs.
  expect(dropped()).toBe(2);
  expect(diagnosis.failed).toEqual([]);
});
