import type { LocalRds } from '../../../local-rds/index.js';
import { startDsql, startRdsIam, startSecret } from './aws.js';
import { startEntra, startGoogle } from './clouds.js';
import { startPasswordFile, startVaultLeases } from './passwords.js';
import type { SourceName } from './names.js';
import type { LoginSource } from './source.js';

/** Starts a source by the name of its backend; where its answers can be short-lived, they last `lifetimeMs`. */
export const SOURCES = {
  awsRdsIam: startRdsIam,
  awsDsql: startDsql,
  awsSecretsManager: startSecret,
  azureAd: startEntra,
  custom: startVaultLeases,
  gcpCloudSqlIam: startGoogle,
  passwordFile: startPasswordFile,
} satisfies Readonly<Record<SourceName, (rds: LocalRds, lifetimeMs: number) => Promise<LoginSource>>>;
