import { createRequire } from 'node:module';
import { loadFailure, type OptionalPackage } from '../packages.js';

const require = createRequire(import.meta.url);

/** Azure's library for credentials. */
export type AzureIdentity = typeof import('@azure/identity');

// Literal names inside `try`, as in aws/sdk.ts.

/** The package that exports DefaultAzureCredential. */
export const AZURE_IDENTITY: OptionalPackage<AzureIdentity> = {
  name: '@azure/identity',
  needs: ['DefaultAzureCredential'],
  load: async () => {
    try {
      return await import('@azure/identity');
    } catch (error) {
      try {
        return require('@azure/identity') as AzureIdentity;
      } catch (second) {
        throw loadFailure(error, second);
      }
    }
  },
};
