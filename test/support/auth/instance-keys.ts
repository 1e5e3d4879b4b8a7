import { startImds, type HttpFault, type LocalRds } from '../../../local-rds/index.js';
import { setEnv, useImds } from '../environment.js';
import type { PasswordSource, SourceFault } from './backend-case.js';

const PATH = '/latest/meta-data/iam/security-credentials/local-rds';
const CREDENTIALS = `GET ${PATH}`;
const HOUR_MS = 3_600_000;

const FAULTS: Readonly<Partial<Record<SourceFault, HttpFault>>> = {
  down: { status: 500 },
  hang: { hang: true },
  late: { delayMs: 3_000 },
  empty: { body: '' },
  'no text': {
    path: PATH,
    body: JSON.stringify({
      ...{ Code: 'Success', AccessKeyId: 'canary', SecretAccessKey: ['canary'], Token: 'canary' },
      Expiration: '2099-01-01T00:00:00Z',
    }),
  },
  html: { body: '<html>canary</html>' },
  binary: { body: '\u0000\u0001canary\r\n' },
  huge: { body: 'canary'.repeat(500_000) },
};

/** How the faults of an instance's keys surface. */
export const INSTANCE_FAULTS = {
  down: /IMDS/,
  hang: /IMDS|timeout/,
  late: /IMDS|timeout/,
  empty: /IMDS/,
  'no text': /IMDS/,
  html: /IMDS/,
  binary: /IMDS/,
  huge: /IMDS/,
  expired: 'rejected',
} as const;

/** Starts a metadata service whose instance keys sign the tokens. */
export async function startInstanceKeys(
  rds: LocalRds,
): Promise<Omit<PasswordSource, 'user' | 'dynamicAuth'>> {
  const secrets: string[] = [];
  const keys: string[] = [];
  const imds = await startImds({
    credentials(lifetimeMs) {
      const issued = rds.credentials.issueTemporary({ lifetimeMs });
      secrets.push(issued.secretAccessKey, issued.sessionToken);
      keys.push(issued.accessKeyId);
      return issued;
    },
  });
  setEnv({ AWS_REGION: rds.region });
  useImds(imds.endpoint);
  return {
    set(fault) {
      imds.set((fault && FAULTS[fault]) ?? {});
      imds.setCredentialsLifetime(fault === 'expired' ? -HOUR_MS : HOUR_MS);
    },
    rotate() {
      for (const key of keys) rds.credentials.remove(key);
      imds.setCredentialsLifetime(HOUR_MS);
    },
    secrets: () => [...secrets, 'X-Amz-'],
    fetches: () => imds.calls()[CREDENTIALS] ?? 0,
    [Symbol.asyncDispose]: () => imds.stop(),
  };
}
