import { createRequire } from 'node:module';
import { loadFailure, type OptionalPackage } from '../packages.js';

const require = createRequire(import.meta.url);

type SignerPackage = typeof import('@aws-sdk/rds-signer');
type ProvidersPackage = typeof import('@aws-sdk/credential-providers');
type ImdsPackage = typeof import('@aws-sdk/ec2-metadata-service');
type DsqlPackage = typeof import('@aws-sdk/dsql-signer');
type SecretsPackage = typeof import('@aws-sdk/client-secrets-manager');

// Bundlers follow names that are written out, and within `try` forgive a package that is absent. `require` is for where
// there is no `import()`, as in Jest's virtual machine.

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

/** What finds credentials. */
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

/** What region detection needs. */
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

/** What signs tokens of Aurora DSQL. */
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

/** What asks Secrets Manager. */
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

/** What finds credentials in the AWS SDK. */
export interface AwsProviders {
  readonly fromIni: ProvidersPackage['fromIni'];
  readonly fromNodeProviderChain: ProvidersPackage['fromNodeProviderChain'];
  readonly fromTemporaryCredentials: ProvidersPackage['fromTemporaryCredentials'];
}

/** The parts of the AWS SDK in use. */
export interface AwsSdk extends AwsProviders {
  readonly Signer: SignerPackage['Signer'];
}

let loading: Promise<AwsSdk> | undefined;

/** Loads the AWS SDK at the first call, once; rejects with the loader's own error, after which the next call tries again. */
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
