import { describe, expect, it } from 'vitest';
import { describeSource, maskedKeyId } from '../../../../../src/auth/aws/doctor/source.js';

describe('the source of AWS credentials', () => {
  it.each([
    [{ CREDENTIALS_ENV_VARS: 'g' }, {}, 'environment'],
    [{ CREDENTIALS_PROFILE: 'n' }, { AWS_PROFILE: 'prod' }, 'profile prod'],
    [{ CREDENTIALS_PROFILE_SSO: 'r', CREDENTIALS_SSO: 's' }, {}, 'SSO, profile default'],
    [
      { CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN: 'h', CREDENTIALS_STS_ASSUME_ROLE_WEB_ID: 'k' },
      {},
      'web identity (STS)',
    ],
    [
      { CREDENTIALS_PROFILE_SOURCE_PROFILE: 'o', CREDENTIALS_STS_ASSUME_ROLE: 'i' },
      {},
      'assumed role (STS), profile default',
    ],
    [{ CREDENTIALS_HTTP: 'z' }, { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://x/' }, 'container'],
    [undefined, {}, 'instance metadata'],
  ])('with the feature IDs %j and the environment %j is: %s', (marks, env, name) => {
    expect(describeSource(marks, env).name).toBe(name);
  });

  it('is shown with the first and last characters of the key ID only', () => {
    expect(maskedKeyId('AKIA1234567890ABCDEF')).toBe('AKIA…CDEF');
    expect(maskedKeyId('short')).toBe('…');
  });
});
