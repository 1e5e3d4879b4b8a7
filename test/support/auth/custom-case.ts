import { setTimeout as sleep } from 'node:timers/promises';
import type { IssuedLogin } from '../../../src/index.js';
import type { BackendCase, SourceFault } from './backend-case.js';
import { createRotatingRole } from './role.js';

const LATE_MS = 3_000;
const HOUR_MS = 3_600_000;

/** A function of the application that returns the password of a role and when it expires. */
export const customCase: BackendCase = {
  backend: 'custom',
  provider: 'broker',
  fetches: true,
  faults: {
    down: /failed to issue a password: the broker is down$/,
    hang: /timeout/,
    late: /timeout/,
    empty: /the token is an empty text$/,
    'no text': /the token is no text$/,
    html: 'rejected',
    binary: /the token contains a NUL character$/,
    huge: /the token has 70000 bytes, and 65535 are possible$/,
    expired: /the token expired at .*: check its source and the clock of this machine$/,
    'of another user': 'rejected',
  },
  hint: /^ask the broker$/,
  refusedSettings: [
    [{ issue: () => 'x' }, '.name is required'],
    [{ name: 'x'.repeat(65), issue: () => 'x' }, '.name must not have more than 64 characters'],
    [{ name: 'broker' }, '.issue is required'],
    [{ name: 'broker', issue: 'x' }, '.issue must be a function'],
    [{ name: 'broker', issue: () => 'x', rejected: true }, '.rejected must be a function'],
    [{ name: 'broker', issue: () => 'x', settings: 'x' }, '.settings must be an object'],
    [{ name: 'broker', issue: () => 'x', retireAtExpiry: 1 }, '.retireAtExpiry must be true or false'],
  ],
  packages: [],

  async start(rds) {
    const role = await createRotatingRole(rds);
    let fault: SourceFault | undefined;
    let calls = 0;
    const issue = async (): Promise<IssuedLogin> => {
      calls += 1;
      const expiresAt = new Date(Date.now() + (fault === 'expired' ? -1 : HOUR_MS));
      switch (fault) {
        case 'down':
          throw new Error('the broker is down');
        case 'hang':
          return await new Promise(() => undefined);
        case 'late':
          await sleep(LATE_MS);
          break;
        case 'empty':
          return { password: '' };
        case 'no text':
          return { password: ['canary'] as unknown as string };
        case 'html':
          return { password: '<html>canary</html>' };
        case 'binary':
          return { password: 'canary\0' };
        case 'huge':
          return { password: 'x'.repeat(70_000) };
        case 'of another user':
          return { password: role.password, user: rds.postgres.user, expiresAt };
      }
      return { password: role.password, expiresAt };
    };
    return {
      user: role.user,
      dynamicAuth: {
        custom: {
          name: 'broker',
          issue,
          hint: 'ask the broker',
          settings: { token: 'canary-of-the-settings' },
        },
      },
      set: (next) => void (fault = next),
      rotate: () => role.rotate(),
      secrets: () => [...role.passwords, 'canary-of-the-settings'],
      fetches: () => calls,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  },
};
