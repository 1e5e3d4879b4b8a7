import { checkOneOf, optional, refuseUnknown } from '../../settings/checks.js';
import type { AuthBackend, LoginTarget } from '../backend.js';
import { CLOUD_SQL_IAM as NAME, findAccessToken } from './find-token.js';
import { PRODUCTS, withoutSuffix } from './products.js';
import { GOOGLE_AUTH } from './sdk.js';

/** Logs in with access tokens of Google Cloud, from application default credentials. */
export interface DynamicAuthGcpCloudSqlIam {
  /** The service that the database belongs to, which decides the scope of the tokens; default `cloudsql`. */
  readonly product?: 'cloudsql' | 'alloydb' | undefined;
}

const checkProduct = optional(checkOneOf(Object.keys(PRODUCTS)));

/** Cloud SQL and AlloyDB with IAM database authentication: the password is an OAuth access token. */
export const gcpCloudSqlIam: AuthBackend<DynamicAuthGcpCloudSqlIam> = {
  name: NAME,
  label: 'Google Cloud IAM',
  example: true,

  packages: () => [GOOGLE_AUTH],

  check(settings, path) {
    checkProduct(settings['product'], `${path}.product`);
    refuseUnknown(settings, ['product'], path);
  },

  issuer({ product = 'cloudsql' }) {
    const { rejected } = PRODUCTS[product];
    return {
      source: Object.freeze({ provider: NAME, hint: rejected }),
      reused: true,
      hint: ({ user }: LoginTarget) => {
        const name = withoutSuffix(user);
        return name === user ? rejected : `the database user of a service account is ${name}; ${rejected}`;
      },
      issue: async (_, { signal }) => (await findAccessToken(product, signal)).token,
    };
  },
};
