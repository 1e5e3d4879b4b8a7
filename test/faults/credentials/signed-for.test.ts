import dns from 'node:dns';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newDynamicAuthFunc } from '../../../src/index.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection } from '../../support/until.js';

useCleanEnvironment();
const rds = useLocalRds();
const makePool = useIamPools(rds);

/** The hint in the log after a rejected login. */
async function hintOf(...given: Parameters<typeof makePool>): Promise<unknown> {
  setEnv(rds().awsEnv);
  const pool = await makePool(...given);
  expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28000' });
  return pool.log.named('postgres connect failed')[0]?.fields['hint'];
}

describe('the hint for a rejected token names the user, host and region that it was signed for', () => {
  test.each<[string, () => Parameters<typeof makePool>[0], () => string]>([
    [
      'an address',
      () => ({ host: '127.0.0.1' }),
      () => `signed for app at 127.0.0.1:${rds().port} in eu-central-1`,
    ],
    [
      'another region',
      () => ({ dynamicAuth: { awsRdsIam: { region: 'eu-west-1' } } }),
      () => `signed for app at localhost:${rds().port} in eu-west-1`,
    ],
    [
      'another user',
      () => ({ user: 'jane.doe@example.com' }),
      () => `signed for jane.doe@example.com at localhost:`,
    ],
  ])('%s', async (_title, config, text) => {
    if (config()?.user !== undefined) await rds().createUser(config()?.user ?? '');
    // An hour later, every token has expired.
    if (config()?.user !== undefined) rds().gate.set({ clock: () => new Date(Date.now() + 3_600_000) });
    expect(await hintOf(config())).toContain(text());
    rds().gate.set({ clock: () => new Date() });
  });

  test('an alias that a beforeConnect hook signed for', async () => {
    setEnv(rds().awsEnv);
    const { host, port, user, database } = rds();
    const auth = await newDynamicAuthFunc(
      { host, port, user, database, dynamicAuth: { awsRdsIam: { region: rds().region } } },
      user,
    );
    const hint = await hintOf(
      { dynamicAuth: undefined },
      {
        beforeConnect: async (target, context) => {
          const signed = { ...target, host: 'alias.example.com' };
          await auth(signed, context);
          target.password = signed.password;
        },
      },
    );
    expect(hint).toContain(
      `signed for app at alias.example.com:${port} in eu-central-1, and alias.example.com is not`,
    );
  });
});

describe('a host that ends with a dot', () => {
  const { lookup } = dns;
  // A cluster's resolver resolves the name with its trailing dot; not every system's resolver does.
  beforeAll(() => {
    dns.lookup = ((host: string, ...rest: unknown[]) =>
      (lookup as (...given: unknown[]) => void)(host.replace(/\.$/, ''), ...rest)) as typeof dns.lookup;
  });
  afterAll(() => void (dns.lookup = lookup));

  test.each(['require', 'verify-full'] as const)('logs in with a token under %s', async (sslMode) => {
    setEnv(rds().awsEnv);
    const pool = await makePool({ host: 'localhost.', sslMode }, { ssl: { ca: rds().caPem } });
    expect((await pool.query<{ user: string }>('select current_user as user')).rows).toEqual([
      { user: rds().user },
    ]);
  });
});
