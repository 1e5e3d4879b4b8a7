// Separate from the start functions, which load pg: that must be loaded after its instrumentation.

/** The backends that have a stand-in, with descriptions. */
export const SOURCE_NAMES = {
  awsRdsIam: 'RDS IAM tokens, signed with keys from the credential endpoint of a container',
  awsDsql: 'tokens of Aurora DSQL, signed with the same keys',
  awsSecretsManager: 'a secret of Secrets Manager that is rotated',
  azureAd: 'tokens of Microsoft Entra ID, from the endpoint of a managed identity',
  custom: "a function that reads leases of Vault's database secrets engine",
  gcpCloudSqlIam: "access tokens of Google Cloud, from a machine's metadata server",
  passwordFile: 'a user and a password in files that are replaced',
} as const satisfies Readonly<Record<string, string>>;

/** A backend that has a stand-in. */
export type SourceName = keyof typeof SOURCE_NAMES;
