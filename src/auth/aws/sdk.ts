import type { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import type { Signer } from '@aws-sdk/rds-signer';

/** The packages every token needs. */
export const AWS_SDK_PACKAGES = ['@aws-sdk/rds-signer', '@aws-sdk/credential-providers'] as const;

/** The parts of the AWS SDK in use. */
export interface AwsSdk {
  readonly Signer: typeof Signer;
  readonly fromNodeProviderChain: typeof fromNodeProviderChain;
}

let loading: Promise<AwsSdk> | undefined;

/** Loads the AWS SDK at the first call, once; rejects with Node's own error, after which the next call tries again. */
export function loadAwsSdk(): Promise<AwsSdk> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<AwsSdk> {
  const [signer, providers] = await Promise.all([
    import('@aws-sdk/rds-signer'),
    import('@aws-sdk/credential-providers'),
  ]);
  return { Signer: signer.Signer, fromNodeProviderChain: providers.fromNodeProviderChain };
}
