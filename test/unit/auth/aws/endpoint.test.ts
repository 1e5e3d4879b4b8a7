import { describe, expect, it } from 'vitest';
import { describeSigned, regionOfHost, signedHost } from '../../../../src/auth/aws/endpoint.js';

describe('the region of a host', () => {
  it.each([
    ['db.abc.eu-central-1.rds.amazonaws.com', 'eu-central-1'],
    ['DB.cluster-abc.us-gov-west-1.rds.amazonaws.com.', 'us-gov-west-1'],
    ['db.abc.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['db.abc.eu-central-1.rds.amazonaws.com.evil.example', undefined],
    ['localhost', undefined],
  ])('%s: %s', (host, region) => {
    expect(regionOfHost(host)).toBe(region);
  });
});

describe('the host that a token is signed for', () => {
  it.each([
    ['db.example.com.', 'db.example.com'],
    ['db.example.com', 'db.example.com'],
    ['.', '.'],
  ])('%s: %s', (host, signed) => {
    expect(signedHost(host)).toBe(signed);
  });

  it.each([
    [
      '127.0.0.1',
      'signed for app at 127.0.0.1:5432 in eu-west-1, and 127.0.0.1 is not the name of an RDS endpoint',
    ],
    ['::1', 'signed for app at [::1]:5432 in eu-west-1, and ::1 is not the name of an RDS endpoint'],
    [
      'a.b.eu-west-1.rds.amazonaws.com.',
      'signed for app at a.b.eu-west-1.rds.amazonaws.com:5432 in eu-west-1',
    ],
    [
      'a.b.eu-central-1.rds.amazonaws.com',
      'signed for app at a.b.eu-central-1.rds.amazonaws.com:5432 in eu-west-1, and the endpoint is in eu-central-1',
    ],
  ])('is described with the region in its name: %s', (host, text) => {
    expect(describeSigned({ host, port: 5432, user: 'app' }, 'eu-west-1')).toBe(text);
  });
});
