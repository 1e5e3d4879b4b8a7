import { describe, expect, it } from 'vitest';
import { readClaims } from '../../../../../src/auth/aws/doctor/token.js';

describe('the claims of a token', () => {
  it('are read without its signature', () => {
    const claims = readClaims(
      'db.example.com:5433/?Action=connect&DBUser=a%20b&X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Feu-central-1%2Frds-db%2Faws4_request&X-Amz-Date=20261123T010203Z&X-Amz-Expires=900&X-Amz-Signature=canary',
    );
    expect(claims).toEqual({
      host: 'db.example.com',
      port: 5433,
      user: 'a b',
      region: 'eu-central-1',
      accessKeyId: 'AKIDEXAMPLE',
      action: 'connect',
      signedAt: new Date('2026-11-23T01:02:03Z'),
      expiresInS: 900,
    });
  });
});
