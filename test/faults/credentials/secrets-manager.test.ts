import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSecretsManager, type SecretsManager } from '../../../local-rds/index.js';
import type { DynamicAuthAwsSecretsManager } from '../../../src/index.js';
import { createRotatingRole, type RotatingRole } from '../../support/auth/role.js';
import { setEnv, useCleanEnvironment } from '../../support/environment.js';
import { useIamPools } from '../../support/iam.js';
import { useLocalRds } from '../../support/servers.js';
import { rejection, until } from '../../support/until.js';

const SECRET = 'app/db';
const CONNECTIONS = 5;

const rds = useLocalRds();
const makePool = useIamPools(rds);
useCleanEnvironment(() => rds().awsEnv);

let service: SecretsManager;
beforeEach(async () => {
  service = await startSecretsManager({ credentials: rds().credentials, region: rds().region });
  setEnv(service.env);
});
afterEach(() => service.stop());

const settings = (more: Partial<DynamicAuthAwsSecretsManager> = {}) => ({
  dynamicAuth: { awsSecretsManager: { secretId: SECRET, region: rds().region, ...more } },
});

const put = ({ user, password }: RotatingRole): void =>
  void service.put(SECRET, { engine: 'postgres', username: user, password });

describe('Secrets Manager', () => {
  test('logs in as the user in the secret rather than the one in the config, under configurable keys', async () => {
    const role = await createRotatingRole(rds());
    service.put(SECRET, { login: { user: 'x' }, name: role.user, secret: role.password });
    const pool = await makePool({
      user: 'nobody',
      ...settings({ usernameKey: 'name', passwordKey: 'secret' }),
    });
    expect((await pool.query('select current_user as who')).rows).toEqual([{ who: role.user }]);
    expect(service.reads).toBe(1);
  });

  test('a rotation between two users under load fails only the queries whose logins used the old password', async () => {
    const roles = [await createRotatingRole(rds()), await createRotatingRole(rds())] as const;
    const [first, second] = roles;
    put(first);
    const pool = await makePool({ ...settings(), maxOpenConns: CONNECTIONS }, { maxUses: 2 });
    const seen = new Set<unknown>();
    const failed: { code?: string }[] = [];
    let done = 0;
    let over = false as boolean;
    const worker = async (): Promise<void> => {
      while (!over) {
        await pool.query<{ who: string }>('select current_user as who').then(
          ({ rows }) => seen.add(rows[0]?.who),
          (error: unknown) => failed.push(error as { code?: string }),
        );
        done += 1;
      }
    };
    const load = Array.from({ length: CONNECTIONS }, worker);
    await until('the first user is in use', () => seen.has(first.user));
    // The first rotation changes the user and leaves the old password valid, so the pool need not notice it.
    put(second);
    const before = done;
    await until('queries after it', () => done > before + 20);
    expect(failed).toEqual([]);
    // The next rotation invalidates the password that the pool still holds.
    await first.rotate();
    await until('the second user is in use', () => seen.has(second.user));
    const lost = failed.length;
    const then = done;
    await until('queries after that', () => done > then + 20);
    over = true;
    await Promise.all(load);
    // At worst, every connection was dialled with the old password before the first login was rejected.
    expect(pool.log.named('postgres connect failed')).not.toEqual([]);
    expect(failed.filter(({ code }) => code !== '28P01')).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(CONNECTIONS);
    expect(failed).toHaveLength(lost);
    expect(service.reads).toBe(2);
  });

  test.each<[string, string | Buffer, string]>([
    ['binary', Buffer.from('canary'), 'it is binary, and not a text'],
    ['not JSON', 'canary', 'it is not JSON'],
    ['a JSON string', '"canary"', 'it is not a JSON object'],
    ['a JSON array', '["canary"]', 'it is not a JSON object'],
    ['without a user', '{"password":"canary"}', 'it has no key username'],
    ['without a password', '{"username":"canary"}', 'it has no key password'],
    ['with a number for a password', '{"username":"a","password":5}', 'its key password is not a text'],
    ['with an empty user', '{"username":"","password":"canary"}', 'its key username is empty'],
  ])('a secret that is %s gives an error that quotes none of it', async (_, value, reason) => {
    service.put(SECRET, value);
    const pool = await makePool(settings());
    const error = await rejection(pool.query('select 1'));
    expect(error).toMatchObject({
      name: 'AuthError',
      message: `dynamic auth (awsSecretsManager): failed to read the secret app/db: ${reason}`,
    });
    expect(JSON.stringify([error, pool.log.records])).not.toContain('canary');
  });

  test("the error for a secret that cannot be read has the service's reason", async () => {
    const pool = await makePool(settings({ secretId: 'other' }));
    expect((await rejection(pool.query('select 1'))).message).toBe(
      "dynamic auth (awsSecretsManager): failed to read the secret other: Secrets Manager can't find the specified secret.",
    );
  });

  test('the secret stays in use while the service is down', async () => {
    const role = await createRotatingRole(rds());
    put(role);
    const pool = await makePool(settings(), { maxUses: 1 });
    await pool.query('select 1');
    await service.stop();
    for (let n = 0; n < 3; n += 1) await pool.query('select 1');
    expect(pool.stat().newConnsCount).toBe(4);
  });
});
