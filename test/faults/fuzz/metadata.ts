import fc from 'fast-check';
import { newAuthToken, newDynamicAuthFunc, type Config } from '../../../src/index.js';
import { startImds, type HttpFault } from '../../../local-rds/index.js';
import { expectClear, expectNoSecret, hold, outcome, SECRET, type Target } from './target.js';

const REGION = /^[a-z]{2,4}(-[a-z]{2,16}){1,3}-[1-9]\d?$/;
const BASE = { host: 'db.example.org', port: 5432, user: 'u', database: 'd' };

const answer = fc.oneof(
  fc.constantFrom(
    'us-east-1',
    'us-gov-west-1',
    'cn-north-1',
    'us-iso-east-1',
    'us-east-1\n',
    'us-east-1\r\nX: y',
    '',
    ' us-east-1',
    '<html>502</html>',
    'us-east-1.evil.example',
    '../../x',
    'US-EAST-1',
  ),
  fc.string({ unit: 'binary' }),
  fc.string().map((text) => text + SECRET),
  fc.stringMatching(/^[a-z]{1,5}(-[a-z]{1,18}){0,4}-[0-9]{1,3}$/),
);

/** Answers of the metadata service to a request for the region. */
export async function regions(): Promise<Target<string>> {
  const imds = await startImds();
  useMetadata(imds.endpoint);
  return {
    name: 'metadata service: regions',
    share: 2,
    input: answer,
    close: () => imds.stop(),
    async attempt(body) {
      useMetadata(imds.endpoint);
      imds.set({ path: '/latest/meta-data/placement/region', body });
      const made = await outcome(() =>
        newDynamicAuthFunc({ ...BASE, dynamicAuth: { awsRdsIam: { region: 'detect' } } }, 'u'),
      );
      if ('value' in made) {
        hold(REGION.test(body), 'took this for a region', body);
        return;
      }
      expectClear(made.error);
      const { message } = made.error as Error;
      hold(message.startsWith('dynamic auth (awsRdsIam): failed to detect region from IMDS'), message);
      hold(!REGION.test(body), 'refused a region', body);
    },
  };
}

const date = fc.oneof(
  fc.constantFrom<unknown>(
    new Date(Date.now() + 3_600_000).toISOString(),
    '1999-01-01T00:00:00Z',
    'never',
    5,
    null,
  ),
  fc.string(),
);
const word = fc.oneof(
  fc.constant<unknown>('AKIDEXAMPLE'),
  fc.string(),
  fc.constantFrom<unknown>(null, 5, '', undefined, {}),
);
const credentials = fc.oneof(
  fc
    .record(
      {
        Code: fc.constantFrom('Success', 'Failed'),
        AccessKeyId: word,
        SecretAccessKey: fc.constantFrom<unknown>(SECRET, '', 5, undefined),
        Token: word,
        Expiration: date,
      },
      { requiredKeys: [] },
    )
    .map((body) => JSON.stringify(body)),
  fc.string({ unit: 'binary' }),
  fc.json().map((text) => text + SECRET),
);

/** Answers of the metadata service to a request for credentials. */
export async function roleCredentials(): Promise<Target<HttpFault>> {
  const imds = await startImds();
  const config: Config = { ...BASE, dynamicAuth: { awsRdsIam: { region: 'eu-central-1' } } };
  let asked = 0;
  return {
    name: 'metadata service: credentials',
    share: 0.2,
    input: fc.record({ body: credentials, status: fc.constantFrom(200, 200, 200, 404, 401) }),
    close: () => imds.stop(),
    async attempt({ body = '', status = 200 }) {
      useMetadata(imds.endpoint);
      // A separate source for each, so that none is answered from a cache.
      asked += 1;
      process.env['AWS_ROLE_SESSION_NAME'] = `fuzz-${asked}`;
      imds.set({ path: '/latest/meta-data/iam/security-credentials/local-rds', body, status });
      const made = await outcome(() => newAuthToken(config, 'u'));
      if ('value' in made)
        hold(
          !made.value.includes(SECRET) && made.value !== '',
          'a token that shows its key',
          made.value.length,
        );
      else {
        expectClear(made.error);
        expectNoSecret(made.error);
        hold((made.error as Error).message.startsWith('dynamic auth (awsRdsIam): '), 'no prefix', made.error);
      }
    },
  };
}

function useMetadata(endpoint: string): void {
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, {
    AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint,
    AWS_CONFIG_FILE: '/nonexistent/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
  });
}
