import { afterAll, describe, expect, it } from 'vitest';
import type { AuthBackend } from '../../../src/auth/backend.js';
import { BACKENDS } from '../../../src/auth/backends.js';
import { refuseUnknown } from '../../../src/settings/checks.js';

const stub: AuthBackend = {
  name: 'stubAuth',
  label: 'Stub',
  packages: () => [],
  check: (settings, path) => refuseUnknown(settings, [], path),
  issuer: () => ({
    source: { provider: 'stubAuth', hint: 'look at the stub' },
    issue: () => Promise.resolve('a token of the stub'),
  }),
};

// Add it to the table before the doctor reads it, as a line in backends.ts would.
Object.assign(BACKENDS, { stubAuth: stub });
afterAll(() => void Reflect.deleteProperty(BACKENDS, 'stubAuth'));

const { readArguments, USAGE } = await import('../../../src/doctor/arguments.js');
const { settingsOf } = await import('../../../src/doctor/settings.js');
const { Session } = await import('../../../src/doctor/session.js');
const { loginFailure } = await import('../../../src/doctor/login-failure.js');
const { checkConfiguration } = await import('../../../src/doctor/checks/configuration.js');
const { checkRegion } = await import('../../../src/doctor/checks/region.js');
const { checkCredentials } = await import('../../../src/doctor/checks/credentials.js');
const { checkToken } = await import('../../../src/doctor/checks/token.js');
const { checkMembership } = await import('../../../src/doctor/checks/membership.js');

const TARGET = ['--host', 'db', '--user', 'app', '--database', 'app'];

function asked(...flags: string[]) {
  const given = readArguments([...TARGET, ...flags]);
  if (typeof given === 'string') throw new Error(`read as ${given}`);
  return settingsOf(given, {});
}

describe('in the doctor, a backend without its own checks', () => {
  it('has a flag with its name', () => {
    expect(USAGE).toMatch(/^ {2}--stub-auth +log in with Stub tokens$/m);
    const { config, origins } = asked('--stub-auth');
    expect(config.dynamicAuth).toEqual({ stubAuth: {} });
    expect(origins.dynamicAuth).toBe('--stub-auth');
    expect(asked().config.dynamicAuth).toBeUndefined();
  });

  it('is checked by issuing a token', async () => {
    const session = new Session(asked('--stub-auth'), {});
    const { signal } = new AbortController();
    const configuration = await checkConfiguration(session);
    expect(configuration).toMatchObject({ status: 'ok', found: 'app@db:5432/app, require, Stub' });
    expect(await checkRegion(session, signal)).toMatchObject({ code: 'not_configured' });
    expect(await checkCredentials(session, signal)).toMatchObject({ code: 'not_configured' });
    expect(await checkToken(session, signal)).toMatchObject({ status: 'ok', found: 'for app at db:5432' });
    expect(await checkMembership(session, signal)).toMatchObject({ code: 'not_configured' });
    expect(session.text.clean('this is a token of the stub')).toBe('this is [hidden]');
  });

  it('has its own hint as the remedy for a rejected login', () => {
    const outcome = loginFailure({
      error: Object.assign(new Error('no'), { code: '28P01', severity: 'FATAL' }),
      said: '28P01: no',
      provider: 'stubAuth',
      phase: 'auth',
      gaveUp: false,
      hint: 'look at the stub',
      user: 'app',
      database: 'app',
      passwordOrigin: undefined,
      clock: undefined,
    });
    expect(outcome).toMatchObject({ code: 'token_rejected', remedy: 'look at the stub' });
  });

  it('is refused together with another one, as in a config', async () => {
    const outcome = await checkConfiguration(
      new Session(asked('--stub-auth', '--region', 'eu-central-1'), {}),
    );
    expect(outcome).toMatchObject({ status: 'failed', code: 'config_invalid' });
    expect(outcome.found).toContain('dynamicAuth must configure exactly one auth method');
  });
});
