import { createRequire } from 'node:module';
import { loadFailure, type OptionalPackage } from '../packages.js';

const require = createRequire(import.meta.url);

/** Google's library for credentials. */
export type GoogleAuthLibrary = typeof import('google-auth-library');

// Literal names inside `try`, as in aws/sdk.ts.

/** The package that finds application default credentials. */
export const GOOGLE_AUTH: OptionalPackage<GoogleAuthLibrary> = {
  name: 'google-auth-library',
  needs: ['GoogleAuth'],
  load: async () => {
    try {
      return await import('google-auth-library');
    } catch (error) {
      try {
        return require('google-auth-library') as GoogleAuthLibrary;
      } catch (second) {
        throw loadFailure(error, second);
      }
    }
  },
};
