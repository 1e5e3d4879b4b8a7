import type { DoctorAddition } from '../../../doctor/addition.js';
import { failed, ok, type Outcome } from '../../../doctor/report.js';
import type { Session } from '../../../doctor/session.js';
import { awsCredentialsSource } from '../credentials.js';
import { readLogin } from '../secret-login.js';
import { awsSecretsManager } from '../secrets-manager.js';
import { checkAwsCredentials } from './credentials.js';
import { identityOf } from './identity-flags.js';

const FLAG = 'secret-id';
const REGION_FLAG = 'secret-region';

/** What Secrets Manager adds to the doctor. */
export const secretsManagerDoctor: DoctorAddition = {
  flags: [
    {
      name: FLAG,
      type: 'string',
      usage: `  --${FLAG} <name>  log in with the user and the password in this secret of AWS Secrets Manager\n`,
    },
    {
      name: REGION_FLAG,
      type: 'string',
      usage: `  --${REGION_FLAG} <name>\n                      the region of that secret\n`,
    },
  ],
  settings(given) {
    const { [FLAG]: secretId, [REGION_FLAG]: region } = given;
    return secretId === undefined && region === undefined
      ? undefined
      : { secretId, region, ...identityOf(given) };
  },
  secrets: ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'],
  checks: { credentials: checkSecret },
  describeToken: () => Promise.resolve(ok('the password of the secret')),
  refusedSettings: `name the secret and its region (--${FLAG} NAME --${REGION_FLAG} us-east-1)`,
  tokens: 'a secret',
};

/** Finds the AWS credentials, reads the secret with them and shows its user. */
async function checkSecret(session: Session, signal: AbortSignal): Promise<Outcome> {
  const settings = session.get('config').dynamicAuth?.awsSecretsManager ?? { secretId: '', region: '' };
  const { secretId, region } = settings;
  const backend = awsSecretsManager.name;
  const credentials = await checkAwsCredentials(session, signal, {
    ...{ backend, identity: settings, region },
    failure: `failed to read the secret ${secretId}`,
  });
  if (credentials.status === 'failed') return credentials;
  const facts = { ...credentials.facts, secret: secretId, region };
  try {
    const { user, password } = await readLogin(settings, awsCredentialsSource(backend, settings), signal);
    session.text.hide(password);
    const found = `user ${user}, from the secret ${secretId} in ${region}, read with credentials ${credentials.found}`;
    return { ...credentials, found, facts: { ...facts, user } };
  } catch (error) {
    return failed(
      'credentials_unavailable',
      session.text.ofError(error),
      'see that the secret exists in this region as a JSON object, and that these AWS credentials may read it (secretsmanager:GetSecretValue, and kms:Decrypt for a key of your own)',
      facts,
    );
  }
}
