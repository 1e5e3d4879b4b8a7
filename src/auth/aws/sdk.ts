import { createRequire } from 'node:module';
import { loadFailure, type OptionalPackage } from '../packages.js';

const require = createRequire(import.meta.url);

type SignerPackage = typeof import('@aws-sdk/rds-signer');
type ProvidersPackage = typeof import('@aws-sdk/credential-providers');
type ImdsPackage = typeof import('@aws-sdk/ec2-metadata-service');
type DsqlPackage = typeof import('@aws-sdk/dsql-signer');
type SecretsPackage = typeof import('@aws-sdk/client-secrets-manager');

// Bundlers resolve only literal names, and inside `try` they tolerate a missing package. `require` is for environments
// without `import()`, such as Jest's virtual machine.

const SIGNER: OptionalPackage<SignerPackage> = {
  name: '@aws-sdk/rds-signer',
  needs: ['Signer'],
  load: async () => {
    try {
      return await import('@aws-sdk/rds-signer');
    } catch (error) {
      try {
        return require('@aws-sdk/rds-signer') as SignerPackage;
      } catch (second) {
        throw loadFailure(error, second);
      }
    }
  },
};

/** The package that finds credentials. */
export const PROVIDERS: OptionalPackage<ProvidersPackage> = {
  name: '@aws-sdk/credential-providers',
  needs: ['fromNodeProviderChain'],
  load: async () => {
    try {
      return await import('@aws-sdk/credential-providers');
    } catch (error) {
      try {
        return require('@aws-sdk/credential-providers') as ProvidersPackage;
      } catch (second) {
        throw loadFailure(error, second);
      }
    }
  },
};

/** The package that detects the region. */
export const IMDS_PACKAGE: OptionalPackage<ImdsPackage> = {
  name: '@aws-sdk/ec2-metadata-service',
  needs: ['MetadataService'],
  load: async () => {
    try {
      return await import('@aws-sdk/ec2-metadata-service');
    } catch (error) {
      try {
        return require('@aws-sdk/ec2-metadata-service') as ImdsPackage;
      } catch (second) {
        throw loadFailure(error, second);
      }
    }
  },
};

/** The package that signs tokens of Aurora DSQL. */
export const DSQL_SIGNER: OptionalPackage<DsqlPackage> = {
  name: '@aws-sdk/dsql-signer',
  needs: ['DsqlSigner'],
  load: async () => {
    try {
      return await import('@aws-sdk/dsql-signer');
    } catch (error) {
      try {
        return require('@aws-sdk/dsql-signer') as DsqlPackage;
      } catch (second) {
        throw loadFailure(error, second);
      }
    }
  },
};

/** The client for Secrets Manager. */
export const SECRETS_CLIENT: OptionalPackage<SecretsPackage> = {
  name: '@aws-sdk/client-secrets-manager',
  needs: ['SecretsManagerClient', 'GetSecretValueCommand'],
  load: async () => {
    try {
      return await import('@aws-sdk/client-secrets-manager');
    } catch (error) {
      try {
        return require('@aws-sdk/client-secrets-manager') as SecretsPackage;
      } catch (second) {
        throw loadFailure(error, second);
      }
    }
  },
};

/** The packages that a token of RDS IAM needs. */
export const AWS_SDK_PACKAGES: readonly OptionalPackage[] = [SIGNER, PROVIDERS];

/** The credential providers of the AWS SDK that are used. */
export interface AwsProviders {
  readonly fromIni: ProvidersPackage['fromIni'];
  readonly fromNodeProviderChain: ProvidersPackage['fromNodeProviderChain'];
  readonly fromTemporaryCredentials: ProvidersPackage['fromTemporaryCredentials'];
}

/** The parts of the AWS SDK that are used. */
export interface AwsSdk extends AwsProviders {
  readonly Signer: SignerPackage['Signer'];
}

let loading: Promise<AwsSdk> | undefined;

/** Loads the AWS SDK once, at the first call; rejects with the loader's own error, and the next call tries again. */
export function loadAwsSdk(): Promise<AwsSdk> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<AwsSdk> {
  const [signer, providers] = await Promise.all([SIGNER.load(), PROVIDERS.load()]);
  const { fromIni, fromNodeProviderChain, fromTemporaryCredentials } = providers;
  return { Signer: signer.Signer, fromIni, fromNodeProviderChain, fromTemporaryCredentials };
}
