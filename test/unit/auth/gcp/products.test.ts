import { expect, it } from 'vitest';
import { withoutSuffix } from '../../../../src/auth/gcp/products.js';

it.each([
  ['app@p.iam.gserviceaccount.com', 'app@p.iam'],
  ['1-compute@developer.gserviceaccount.com', '1-compute@developer'],
  ['app@p.iam', 'app@p.iam'],
  ['person@example.com', 'person@example.com'],
])('the database user of %s is %s', (principal, user) => {
  expect(withoutSuffix(principal)).toBe(user);
});
