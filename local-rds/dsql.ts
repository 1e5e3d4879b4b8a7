import type { CredentialStore } from './credentials.js';
import type { LoginVerifier } from './login-verifier.js';
import { findTokenFault } from './sigv4.js';

/** What tokens of Aurora DSQL must have been signed for. */
export interface DsqlOptions {
  /** The names of the cluster, as in `abc.dsql.eu-central-1.on.aws`. */
  readonly host: string | readonly string[];
  readonly region: string;
  /** Where the keys are looked up that tokens are signed with. */
  readonly credentials: CredentialStore;
}

/** The role that a cluster has from the start, which needs a permission of its own. */
const ADMIN = 'admin';
const WEEK_S = 7 * 24 * 3_600;

/** Verifies the logins of roles by tokens of Aurora DSQL: presigned GETs of `DbConnect`, for `admin` of `DbConnectAdmin`, which name a host without a port. */
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
    // As clusters answer, and not with SQLSTATE class 28.
    refusal: () => ({ code: '08006', message: 'unable to accept connection, access denied' }),
  };
}
