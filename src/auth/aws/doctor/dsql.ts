import type { DoctorAddition } from '../../../doctor/addition.js';
import { ok, type Outcome } from '../../../doctor/report.js';
import { maskedKeyId } from './source.js';
import { readClaims } from './token.js';

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
    given[FLAG] === true || given[REGION_FLAG] !== undefined ? { region: given[REGION_FLAG] } : undefined,
  secrets: ['AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'],
  describeToken: (token) => Promise.resolve(describeToken(token)),
  refusedSettings: `name the region as AWS writes it (--${REGION_FLAG} us-east-1), or leave the option out`,
  tokens: 'DSQL tokens',
};

/** Shows what a token says in clear: for what it was signed, with which key, and until when it is valid. */
function describeToken(token: string): Outcome {
  const { host, region, action, accessKeyId, signedAt, expiresInS } = readClaims(token);
  const expiresAt = new Date(signedAt.getTime() + expiresInS * 1_000);
  const key = maskedKeyId(accessKeyId);
  const until = Number.isNaN(expiresAt.getTime()) ? 'an unknown time' : expiresAt.toISOString();
  return ok(`${action} at ${host} in ${region}, by key ${key}, valid until ${until}`, {
    facts: { action, host, region, access_key_id: key, expires_at: expiresAt.toJSON() },
  });
}
