import { beforeEach, describe, expect, test } from 'vitest';
import { newDynamicAuthFunc, type InstrumentedPool, type PoolOptions } from '../../../src/index.js';
import { useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { iamConfig } from '../../support/rds-configs.js';
import { useProxy } from '../../support/proxy.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection } from '../../support/until.js';
import { parameter } from '../../support/tokens.js';

const rds = useLocalRds();
const proxy = useProxy(rds);
useCleanEnvironment(() => rds().awsEnv);
const makePool = useIamPools(rds);

beforeEach(() => proxy().clear());

/**
 * A pool that records the tokens it was given, and dials the stand-in through the proxy by the stand-in's host name.
 */
async function keepingPool(
  options: PoolOptions = {},
): Promise<{ readonly pool: InstrumentedPool; readonly tokens: string[] }> {
  const auth = await newDynamicAuthFunc(iamConfig(rds()), rds().user);
  const tokens: string[] = [];
  const pool = await makePool(
    { dynamicAuth: undefined },
    {
      ...options,
      beforeConnect: async (target, context) => {
        await auth(target, context);
        tokens.push(target.password);
        target.port = proxy().port;
      },
    },
  );
  return { pool, tokens };
}

describe('a failed attempt used its own token, and the next attempt gets another', () => {
  test.each<[string, () => Promise<void> | void, () => Promise<void> | void]>([
    ['refused by the system', () => proxy().pause(), () => proxy().listen()],
    ['reset', () => proxy().set({ refuse: true }), () => proxy().clear()],
    ['cut inside the login', () => proxy().set({ cutAfterBytes: 200 }), () => proxy().clear()],
    ['black-holed', () => proxy().set({ blackHole: true }), () => proxy().clear()],
    [
      'refused because the server is starting up',
      () => rds().gate.set({ fatal: { code: '57P03', message: 'starting up' } }),
      () => rds().gate.set({ fatal: undefined }),
    ],
    ['rejected', () => rds().gate.set({ rejectTokens: true }), () => rds().gate.set({ rejectTokens: false })],
  ])('%s', async (_how, disturb, heal) => {
    const { pool, tokens } = await keepingPool({ connectTimeoutMs: 1_500 });
    await disturb();
    try {
      await rejection(pool.query('select 1'));
      await rejection(pool.query('select 1'));
    } finally {
      await heal();
    }
    for (let n = 0; n < 3; n += 1) await pool.query('select 1');
    expect(tokens).toHaveLength(3);
    expect(pool.stat()).toMatchObject({ newConnsCount: 3, totalConns: 1 });
  });
});

test('a token is signed for the host, port and user that are dialled', async () => {
  const { pool, tokens } = await keepingPool();
  await pool.query('select 1');
  const [token = ''] = tokens;
  expect(token.startsWith(`${rds().host}:${rds().port}/?`)).toBe(true);
  expect(parameter(token, 'DBUser')).toBe(rds().user);
});
