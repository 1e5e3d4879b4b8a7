import type { LocalRds } from '../../../local-rds/index.js';
import { startDsql, startRdsIam, startSecret } from './aws.js';
import { startEntra, startGoogle } from './clouds.js';
import { startPasswordFile, startVaultLeases } from './passwords.js';
import type { SourceName } from './names.js';
import type { LoginSource } from './source.js';

/** Start functions by backend name; answers are valid for `lifetimeMs` if their lifetime can be set. */
export const SOURCES = {
  awsRdsIam: startRdsIam,
  awsDsql: startDsql,
  awsSecretsManager: startSecret,
  azureAd: startEntra,
  custom: startVaultLeases,
  gcpCloudSqlIam: startGoogle,
  passwordFile: startPasswordFile,
} satisfies Readonly<Record<SourceName, (rds: LocalRds, lifetimeMs: number) => Promise<LoginSource>>>;
