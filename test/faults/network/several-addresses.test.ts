import { createServer, type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { usePools } from '../../support/pools.js';
import { usePostgres } from '../../support/servers.js';
import { rejection } from '../../support/until.js';
import { useNames } from '../../support/names.js';

const names = useNames();
const server = usePostgres();
const makePool = usePools(server);
/** Two loopback addresses; macOS has the second one after `sudo ifconfig lo0 alias 127.0.0.2`. */
const OTHER = '127.0.0.2';
const NAME = 'db.test';

/** Returns a port on which no server listens. */
async function closedPort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

beforeAll(() => names.set(NAME, OTHER, server().host));

describe('a host with two addresses', () => {
  test('of which the first is dead is reached at the second', async () => {
    const pool = await makePool({ host: NAME, port: server().port });
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(pool.log.named('postgres connect failed')).toEqual([]);
  });

  test('that both refuse connections: the error and the log record name both', async () => {
    const port = await closedPort();
    const pool = await makePool({ host: NAME, port });
    const error = (await rejection(pool.query('select 1'))) as AggregateError & { code: string };
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.code).toBe('ECONNREFUSED');
    expect(error.errors).toHaveLength(2);
    expect(error.message).toBe(
      `connect ECONNREFUSED ${OTHER}:${port}; connect ECONNREFUSED 127.0.0.1:${port}`,
    );
    expect(error.stack).toContain(error.message);
    expect(pool.log.named('postgres connect failed')).toMatchObject([
      {
        fields: {
          error_type: 'ECONNREFUSED',
          phase: 'tcp',
          tried: [`${OTHER}:${port} ECONNREFUSED`, `127.0.0.1:${port} ECONNREFUSED`],
        },
      },
    ]);
  });

  test('that both refuse connections: an acquire timeout names both', async () => {
    const port = await closedPort();
    const config = { maxOpenConns: 1, minConns: 1 };
    const pool = await makePool({ host: NAME, port }, config, { maxConnecting: 1, acquireTimeoutMs: 300 });
    // The first acquire waits for its own dial to fail; the second for a dial that may not start before its timeout.
    const [, late] = await Promise.all([1, 2].map(() => rejection(pool.query('select 1'))));
    if (late?.message.startsWith('timeout')) {
      expect(late.message).toContain(`last connect error ECONNREFUSED (${OTHER}:${port}, 127.0.0.1:${port})`);
    } else expect(late?.message).toContain(`connect ECONNREFUSED ${OTHER}:${port}`);
  });
});

describe('an address that refuses connections', () => {
  test('is named in the log record', async () => {
    const port = await closedPort();
    const pool = await makePool({ host: '127.0.0.1', port });
    expect((await rejection(pool.query('select 1'))).message).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
    expect(pool.log.named('postgres connect failed')).toMatchObject([
      { fields: { tried: [`127.0.0.1:${port} ECONNREFUSED`] } },
    ]);
  });
});

describe('an error thrown by a hook', () => {
  test.each<['beforeConnect' | 'afterConnect', unknown, string]>([
    ['beforeConnect', 'sealed', 'a hook threw "sealed" instead of an Error (beforeConnect)'],
    ['afterConnect', { status: 503 }, 'a hook threw an object instead of an Error (afterConnect)'],
    ['afterConnect', new Error(), 'an error without a message (afterConnect)'],
  ])('has a message even if it is not an Error or has no message: %s, %o', async (hook, thrown, text) => {
    const fail = (): never => {
      throw thrown;
    };
    const pool = await makePool(server(), {}, { [hook]: fail });
    const error = await rejection(pool.query('select 1'));
    expect(error.message).toBe(text);
    expect(thrown instanceof Error ? error : error.cause).toBe(thrown);
  });
});
