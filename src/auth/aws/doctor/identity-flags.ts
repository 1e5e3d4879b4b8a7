import type { Flag, GivenFlags } from '../../../doctor/addition.js';
import type { AwsIdentity } from '../identity.js';

/** The options for the identity that signs requests to AWS, shared by all AWS backends. */
export const IDENTITY_FLAGS: readonly Flag[] = [
  {
    name: 'aws-profile',
    type: 'string',
    usage: '  --aws-profile <name> profile of the AWS files, for any login with AWS\n',
  },
  {
    name: 'role-arn',
    type: 'string',
    usage: '  --role-arn <arn>    role to assume first, for any login with AWS\n',
  },
  {
    name: 'external-id',
    type: 'string',
    usage: '  --external-id <id>  external ID for --role-arn\n',
  },
  {
    name: 'session-name',
    type: 'string',
    usage:
      '  --session-name <name>\n                      name of the sessions of --role-arn, default pgauge\n',
  },
];

/** Converts these options to settings. */
export function identityOf(given: GivenFlags): Partial<Record<keyof AwsIdentity, unknown>> {
  const identity = {
    profile: given['aws-profile'],
    roleArn: given['role-arn'],
    externalId: given['external-id'],
    sessionName: given['session-name'],
  };
  return Object.fromEntries(Object.entries(identity).filter(([, value]) => value !== undefined));
}
