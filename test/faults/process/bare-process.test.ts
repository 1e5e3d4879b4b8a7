import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/index.js';
import { runScript } from '../../support/child.js';
import { iamConfig } from '../../support/rds-configs.js';
import { useLocalRds } from '../../support/servers.js';

const rds = useLocalRds();
const SCRIPT = new URL('./scripts/query.ts', import.meta.url);
const SKEWED_CLOCK = new URL('../../integration/doctor/programs/skewed-clock.ts', import.meta.url).href;
const preload = (name: string): string => new URL(`./preloads/${name}.ts`, import.meta.url).href;

/** A user id without an entry in the password database, as OpenShift assigns one to each project. */
const NOBODY = 1000660000;

interface Said {
  readonly user?: string;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string };
  readonly warnings: readonly Readonly<Record<string, unknown>>[];
}

/** Runs the program with only the given environment. */
async function run(
  config: Config,
  { preloads = [], env = {}, uid }: { preloads?: string[]; env?: Record<string, string>; uid?: number } = {},
): Promise<Said & { readonly stderr: string }> {
  const options = preloads.map((name) => `--import=${name}`).join(' ');
  const { lines, stderr } = await runScript(SCRIPT, [JSON.stringify(config)], {
    env: {
      HOME: undefined,
      AWS_EC2_METADATA_DISABLED: 'true',
      NODE_OPTIONS: `--import=tsx ${options}`,
      ...env,
    },
    ...(uid !== undefined && { uid }),
  }).result;
  return { ...(JSON.parse(lines.join('') || 'null') as Said), stderr };
}

const byPassword = (changes: Partial<Config> = {}): Config => {
  const { host, port, user, password } = rds().postgres;
  return { host, port, user, password, database: 'postgres', sslMode: 'disable', ...changes };
};
const byToken = (): Config => iamConfig(rds(), { sslMode: 'require' });

describe.each<[string, { preloads?: string[]; uid?: number }]>([
  ['on a system without a home folder', { preloads: [preload('no-home')] }],
  // Only root can switch to another user; elsewhere the case above covers it.
  ...(process.getuid?.() === 0
    ? [['with a user ID that has no passwd entry', { uid: NOBODY }] as const]
    : []
  ).map(([title, bare]): [string, { uid: number }] => [title, bare]),
])('a process without HOME, %s,', (_title, bare) => {
  test('logs in with a password', async () => {
    expect(await run(byPassword(), bare)).toEqual({ user: 'postgres', warnings: [], stderr: '' });
  });

  test('logs in with a token', async () => {
    const { user, error, stderr } = await run(byToken(), { ...bare, env: rds().awsEnv });
    expect({ user, error, stderr }).toEqual({ user: rds().user, error: undefined, stderr: '' });
  });

  test('logs with the default logger', async () => {
    const { user, stderr } = await run(byPassword(), { ...bare, env: { DEFAULT_LOGGER: '1' } });
    expect(user).toBe('postgres');
    expect(stderr).toContain('postgres connection pool created');
  });

  test('says that no password file can be found when the config has no password', async () => {
    const { error } = await run(byPassword({ password: '' }), bare);
    expect(error).toMatchObject({
      code: 'ERR_PGAUGE_CONFIG',
      message: expect.stringContaining('PGPASSFILE (not set, and there is no home folder)') as string,
    });
  });

  test('says what to set when the AWS SDK needs a home folder', async () => {
    const { error } = await run(byToken(), bare);
    expect(error).toMatchObject({
      code: 'ERR_PGAUGE_AUTH',
      message: expect.stringMatching(/^dynamic auth \(awsRdsIam\): .*set HOME.*uv_os_homedir/) as string,
    });
  });
});

describe('a process on a read-only file system', () => {
  test.each<[string, () => Config]>([
    ['a password', byPassword],
    ['a token', byToken],
  ])('logs in with %s and tries no write', async (_title, config) => {
    const env = { ...rds().awsEnv, DEFAULT_LOGGER: '1', PGAUGE_LOG_LEVEL: 'silent' };
    const { user, stderr } = await run(config(), { preloads: [preload('read-only')], env });
    expect({ user, stderr }).toEqual({ user: config().user, stderr: '' });
  });
});

describe('a process without name servers', () => {
  const bare = { preloads: [preload('no-names')] };

  test('connects to an address without a lookup', async () => {
    const config = byPassword({ host: '127.0.0.1' });
    expect(await run(config, bare)).toEqual({ user: 'postgres', warnings: [], stderr: '' });
  });

  test('names the host that was not resolved', async () => {
    const { error, warnings } = await run(byPassword({ host: 'db.test' }), bare);
    expect(error).toEqual({ name: 'Error', message: 'getaddrinfo EAI_AGAIN db.test', code: 'EAI_AGAIN' });
    expect(warnings).toMatchObject([
      { phase: 'dns', error_type: 'EAI_AGAIN', tried: ['db.test EAI_AGAIN'] },
      { message: 'postgres unreachable', error_type: 'EAI_AGAIN' },
    ]);
  });
});

describe('a process whose clock is far off', () => {
  const YEAR_MS = 31_557_600_000;
  test.each([50, -50, 9_000])(
    'by %i years logs in with a password, and logs a hint for a rejected token',
    async (years) => {
      const bare = { preloads: [SKEWED_CLOCK], env: { ...rds().awsEnv, SKEW_MS: String(years * YEAR_MS) } };
      expect(await run(byPassword(), bare)).toEqual({ user: 'postgres', warnings: [], stderr: '' });
      const { error, warnings } = await run(byToken(), bare);
      expect(error?.code).toBe('28000');
      expect(warnings).toMatchObject([{ hint: expect.stringContaining('check the clock') as string }]);
    },
  );
});
