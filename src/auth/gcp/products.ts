/** The services whose databases accept access tokens as passwords. */
export type Product = 'cloudsql' | 'alloydb';

interface ProductFacts {
  /** The scope that a token needs for a login. */
  readonly scope: string;
  /** What to check first when a token was rejected. */
  readonly rejected: string;
}

/** The facts about each service. */
export const PRODUCTS: Readonly<Record<Product, ProductFacts>> = {
  cloudsql: {
    scope: 'https://www.googleapis.com/auth/sqlservice.login',
    rejected: rejected('cloudsql.iam_authentication', 'roles/cloudsql.instanceUser'),
  },
  alloydb: {
    scope: 'https://www.googleapis.com/auth/alloydb.login',
    rejected: rejected('alloydb.iam_authentication', 'roles/alloydb.databaseUser'),
  },
};

const SUFFIX = '.gserviceaccount.com';

/** The database user of an IAM principal: its email address, for a service account without the last part. */
export function withoutSuffix(principal: string): string {
  return principal.endsWith(SUFFIX) ? principal.slice(0, -SUFFIX.length) : principal;
}

function rejected(flag: string, role: string): string {
  return `the server rejected the access token: check that the user is the principal of the credentials and was added to the instance as an IAM user, that the flag ${flag} is on and that the principal has ${role}`;
}
