import { expect, it } from 'vitest';
import { readClaims, type EntraClaims } from '../../../../../src/auth/azure/doctor/claims.js';

const token = (claims: object): string =>
  ['{}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

it.each<[string, object, EntraClaims]>([
  [
    'a managed identity by its resource',
    { xms_mirid: '/subscriptions/0/providers/Microsoft.Web/sites/my-site', appid: 'id' },
    { kind: 'managed identity', name: 'my-site', clientId: 'id' },
  ],
  ['a user', { upn: 'me@example.com', azp: 'id' }, { kind: 'user', name: 'me@example.com', clientId: 'id' }],
  ['an application', { appid: 'id' }, { kind: 'service principal', name: undefined, clientId: 'id' }],
  [
    'claims of other types',
    { appid: 7, upn: 'a\nb' },
    { kind: 'service principal', name: undefined, clientId: undefined },
  ],
])('the doctor reads the principal of an Entra ID token: %s', (_, claims, read) => {
  expect(readClaims(token(claims))).toEqual(read);
});

it.each(['', 'no token', 'a.b.c'])('the doctor reads no claims of an invalid Entra ID token: %j', (text) => {
  expect(readClaims(text)).toBeUndefined();
});
