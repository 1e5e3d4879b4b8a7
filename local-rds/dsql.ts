import type { CredentialStore } from './credentials.js';
import type { LoginVerifier } from './login-verifier.js';
import { findTokenFault } from './sigv4.js';

/** The cluster for which tokens of Aurora DSQL must be signed. */
export interface DsqlOptions {
  /** The host names of the cluster, for example `abc.dsql.eu-central-1.on.aws`. */
  readonly host: string | readonly string[];
  readonly region: string;
  /** Holds the keys with which tokens may be signed. */
  readonly credentials: CredentialStore;
}

/** The role that every new cluster has; it needs a separate permission. */
const ADMIN = 'admin';
const WEEK_S = 7 * 24 * 3_600;

/**
 * Verifies logins with tokens of Aurora DSQL: presigned GETs of `DbConnect`, or of `DbConnectAdmin` for `admin`, which
 * name a host without a port.
 */
export function dsqlVerifier({ host, region, credentials }: DsqlOptions): LoginVerifier {
  return {
    judge(token, user, now) {
      const action = user === ADMIN ? 'DbConnectAdmin' : 'DbConnect';
      return findTokenFault(token, {
        ...{ region, service: 'dsql', mostSeconds: WEEK_S, now },
        authorities: [host].flat(),
        wrongAuthority: 'signed for another host, or for a port',
        parameters: [['Action', action, `action is not ${action}`]],
        credentials: (accessKeyId) => credentials.find(accessKeyId, now),
      });
    },
    // Real clusters answer with this instead of SQLSTATE class 28.
    refusal: () => ({ code: '08006', message: 'unable to accept connection, access denied' }),
  };
}
