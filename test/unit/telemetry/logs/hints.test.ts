import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, keptLogs, observed } from '../../../support/telemetry.js';

const rejected = () => Object.assign(new Error('x'), { code: '28000', severity: 'FATAL' });

afterEach(cleanUp);

describe('the hint of a failed connection attempt', () => {
  it('is that of the token source if the server rejects the login', async () => {
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger });
    const attempt = observer.connecting(undefined);
    const source = { provider: 'awsRdsIam', hint: 'check the clock and the IAM policy' };
    await attempt.token(source, () => Promise.resolve('token'));
    attempt.failed(1, rejected(), 'auth', 'auth');
    expect(named('postgres connect failed')[0]?.fields['hint']).toMatch(/clock.*IAM policy/);
  });

  it('names PGPASSFILE if no password was found', () => {
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger });
    observer
      .connecting(undefined)
      .failed(1, new Error('no password: none set and no line in PGPASSFILE'), 'auth', 'auth');
    expect(named('postgres connect failed')[0]?.fields['hint']).toMatch(/PGPASSFILE/);
  });

  it.each([
    ['the server rejects a login without a token', undefined, rejected()],
    ['the token source has none', { provider: 'vault' }, rejected()],
    ['the server did not reject the login', { provider: 'vault', hint: 'check the lease' }, new Error('x')],
  ])('is absent if %s', async (_title, source, error) => {
    const { logger, named } = keptLogs();
    const { observer } = observed({}, { logger });
    const attempt = observer.connecting(undefined);
    if (source !== undefined) await attempt.token(source, () => Promise.resolve('token'));
    attempt.failed(1, error, 'auth', 'auth');
    expect(named('postgres connect failed')[0]?.fields).not.toHaveProperty('hint');
  });
});
