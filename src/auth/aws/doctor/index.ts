import type { DoctorAddition, Explanation, FailedLogin } from '../../../doctor/addition.js';
import type { Outcome } from '../../../doctor/report.js';
import { sqlName } from '../../../doctor/sql-name.js';
import type { Session } from '../../../doctor/session.js';
import { isEndpoint } from '../endpoint.js';
import { awsRdsIam } from '../rds-iam.js';
import { checkAwsCredentials } from './credentials.js';
import { dsqlDoctor } from './dsql.js';
import { IDENTITY_FLAGS, identityOf } from './identity-flags.js';
import { checkMembership } from './membership.js';
import { checkRegion } from './region.js';
import { secretsManagerDoctor } from './secrets-manager.js';
import { describeToken } from './token.js';

/** What AWS RDS IAM adds to the doctor. */
export const awsDoctor: DoctorAddition = {
  flags: [
    {
      name: 'region',
      type: 'string',
      usage: `  --region <name>     log in with AWS RDS IAM tokens signed for this region;
                      "detect" asks the instance metadata service, "host"
                      reads it from the name of the endpoint
`,
    },
    ...IDENTITY_FLAGS,
  ],
  settings(given) {
    const { region } = given;
    const identity = identityOf(given);
    if (region !== undefined) return { region, ...identity };
    // All AWS backends share these options; if no other backend is selected, they select this one.
    const others = [dsqlDoctor, secretsManagerDoctor].some(({ settings }) => settings(given) !== undefined);
    return others || Object.keys(identity).length === 0 ? undefined : identity;
  },
  secrets: ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'],
  checks: { region: checkRegion, credentials: checkCredentials, rds_iam: checkMembership },
  describeToken,
  explainRejection,
  afterRejection: ({ host }) =>
    'Look also at the host (the endpoint itself, not an alias), the region, that IAM authentication is on, and that the key is still active' +
    (host === undefined || isEndpoint(host)
      ? ''
      : `. ${host} is not the name of an RDS endpoint: where it is a tunnel or an alias, give the endpoint itself with --sign-host NAME:PORT`),
  withoutPassword: 'a member of rds_iam needs a token instead: give --region',
  refusedSettings: 'name the region (--region us-east-1), or leave the option out',
  tokens: 'IAM tokens',
  reservedConnections: ['rds.rds_superuser_reserved_connections'],
  advice: {
    service: 'RDS',
    endpoint: 'Connectivity, Endpoint',
    certificateName: 'the endpoint itself, not an alias',
    renewal: 'rotate the CA',
    primary: 'the writer endpoint',
    // The certificates of all regions.
    roots: 'https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem',
  },
};

/** Finds the AWS credentials that sign tokens. */
async function checkCredentials(session: Session, signal: AbortSignal): Promise<Outcome> {
  const { region = '', ...identity } = session.get('config').dynamicAuth?.awsRdsIam ?? {};
  const failure = 'failed to build authentication token';
  return await checkAwsCredentials(session, signal, { backend: awsRdsIam.name, identity, region, failure });
}

function explainRejection(state: string, { provider, said, user }: FailedLogin): Explanation | undefined {
  const role = sqlName(user);
  if (provider !== undefined) {
    // RDS checks the token of a member of rds_iam with PAM; here the server compared the token with a password.
    return state !== '28P01'
      ? undefined
      : [
          'not_granted_rds_iam',
          `the server took the token for a password: check the user's name, and GRANT rds_iam TO ${role};`,
        ];
  }
  if (!/\bPAM\b/.test(said)) return undefined;
  return [
    'password_for_iam_user',
    `${user} is a member of rds_iam and logs in with tokens only: give --region (in the config: dynamicAuth), or REVOKE rds_iam FROM ${role};`,
  ];
}
