import type { BackendCase } from './backend-case.js';
import { INSTANCE_FAULTS, startInstanceKeys } from './instance-keys.js';

/** Tokens signed with keys from an instance's metadata service. */
export const rdsIamCase: BackendCase = {
  backend: 'awsRdsIam',
  fetches: true,
  faults: INSTANCE_FAULTS,
  hint: /check the clock, the IAM policy .* rds_iam; it was signed for/,
  refusedSettings: [
    [{}, '.region is required'],
    [{ region: '' }, '.region is required'],
    [{ region: 5 }, '.region must be a string'],
    [{ region: 'a\nb' }, '.region must not contain control characters'],
  ],
  packages: ['@aws-sdk/rds-signer', '@aws-sdk/credential-providers'],
  settings: { region: 'eu-central-1' },

  async start(rds) {
    const keys = await startInstanceKeys(rds);
    return { ...keys, user: rds.user, dynamicAuth: { awsRdsIam: { region: rds.region } } };
  },
};
