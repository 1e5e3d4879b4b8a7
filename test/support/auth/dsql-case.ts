import { dsqlVerifier } from '../../../local-rds/index.js';
import type { BackendCase } from './backend-case.js';
import { INSTANCE_FAULTS, startInstanceKeys } from './instance-keys.js';

const USER = 'dsql_app';
const created = new WeakSet();

/** Tokens of Aurora DSQL, signed with keys from an instance's metadata service. */
export const dsqlCase: BackendCase = {
  backend: 'awsDsql',
  fetches: true,
  faults: INSTANCE_FAULTS,
  rejection: /^08006$/,
  hint: /check the clock, the IAM policy \(dsql:DbConnect .*; it was signed for DbConnect at /,
  refusedSettings: [
    [{ region: '' }, '.region is required'],
    [{ region: 5 }, '.region must be a string'],
    [{ region: 'a\nb' }, '.region must not contain control characters'],
    [{ region: 'Frankfurt' }, '.region must look like one, such as us-east-1'],
  ],
  packages: ['@aws-sdk/dsql-signer', '@aws-sdk/credential-providers'],
  settings: { region: 'eu-central-1' },

  async start(rds) {
    const { host, region, credentials } = rds;
    if (!created.has(rds)) {
      created.add(rds);
      await rds.createUser(USER, { verifier: dsqlVerifier({ host, region, credentials }) });
    }
    const keys = await startInstanceKeys(rds);
    return { ...keys, user: USER, dynamicAuth: { awsDsql: { region } } };
  },
};
