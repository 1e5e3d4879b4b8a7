import type { DoctorAddition } from '../../../doctor/addition.js';
import { ok, type Outcome } from '../../../doctor/report.js';
import type { Session } from '../../../doctor/session.js';
import { awsDsql } from '../dsql.js';
import { regionOfCluster } from '../endpoint.js';
import { checkAwsCredentials } from './credentials.js';
import { identityOf } from './identity-flags.js';
import { maskedKeyId } from './source.js';
import { endOf, readClaims, shownDate } from './token.js';

const FLAG = 'aws-dsql';
const REGION_FLAG = 'dsql-region';

/** What Aurora DSQL adds to the doctor. */
export const dsqlDoctor: DoctorAddition = {
  flags: [
    {
      name: FLAG,
      type: 'boolean',
      usage: `  --${FLAG}          log in with tokens of Aurora DSQL\n`,
    },
    {
      name: REGION_FLAG,
      type: 'string',
      usage: `  --${REGION_FLAG} <name>\n                      the same, signed for this region; default that in the host\n`,
    },
  ],
  settings: (given) =>
    given[FLAG] === true || given[REGION_FLAG] !== undefined
      ? { region: given[REGION_FLAG], ...identityOf(given) }
      : undefined,
  secrets: ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'],
  checks: { credentials: checkCredentials },
  describeToken: (token, session) => Promise.resolve(describeToken(token, session)),
  refusedSettings: `name the region as AWS writes it (--${REGION_FLAG} us-east-1), or leave the option out`,
  tokens: 'DSQL tokens',
};

/** Finds the AWS credentials that sign tokens. */
async function checkCredentials(session: Session, signal: AbortSignal): Promise<Outcome> {
  const { region: given, ...identity } = session.get('config').dynamicAuth?.awsDsql ?? {};
  const region = given ?? regionOfCluster(session.endpoint.host) ?? '';
  const failure = 'failed to build authentication token';
  return await checkAwsCredentials(session, signal, { backend: awsDsql.name, identity, region, failure });
}

/** Describes the readable parts of a token: its action, host and region, the key that signed it, and its expiry. */
function describeToken(token: string, session: Session): Outcome {
  const claims = readClaims(token);
  const { host, region, action } = claims;
  const expiresAt = endOf(claims, session);
  const key = maskedKeyId(claims.accessKeyId);
  return ok(`${action} at ${host} in ${region}, by key ${key}, valid until ${shownDate(expiresAt)}`, {
    facts: { action, host, region, access_key_id: key, expires_at: expiresAt.toJSON() },
  });
}
