import { DsqlSigner } from '@aws-sdk/dsql-signer';
import { describe, expect, it } from 'vitest';
import { CredentialStore } from '../credentials.js';
import { dsqlVerifier } from '../dsql.js';

const HOST = 'abc.dsql.eu-central-1.on.aws';
const store = new CredentialStore();
const verifier = dsqlVerifier({ host: HOST, region: 'eu-central-1', credentials: store });

type Target = Partial<{ hostname: string; region: string; credentials: typeof store.current }>;

function signer(target: Target = {}): DsqlSigner {
  return new DsqlSigner({ hostname: HOST, region: 'eu-central-1', credentials: store.current, ...target });
}

function judge(token: string, user = 'app', ageMs = 0): string | undefined {
  return verifier.judge(token, user, new Date(Date.now() + ageMs));
}

describe('the verifier of Aurora DSQL, given a token of the AWS SDK', () => {
  it('accepts DbConnect for a role and DbConnectAdmin for admin, not the other way round', async () => {
    const [token, ofAdmin] = [
      await signer().getDbConnectAuthToken(),
      await signer().getDbConnectAdminAuthToken(),
    ];
    expect(judge(token)).toBeUndefined();
    expect(judge(ofAdmin, 'admin')).toBeUndefined();
    expect(judge(token, 'admin')).toBe('action is not DbConnectAdmin');
    expect(judge(ofAdmin)).toBe('action is not DbConnect');
  });

  it('accepts one signed with a session', async () => {
    expect(
      judge(await signer({ credentials: store.issueTemporary() }).getDbConnectAuthToken()),
    ).toBeUndefined();
  });

  it.each<[string, Target, string]>([
    ['another host', { hostname: `x${HOST}` }, 'signed for another host, or for a port'],
    ['a port', { hostname: `${HOST}:5432` }, 'signed for another host, or for a port'],
    ['another region', { region: 'us-east-1' }, 'signed for another region'],
    ['an unknown key', { credentials: new CredentialStore().current }, 'unknown access key'],
    ['another secret', { credentials: { ...store.current, secretAccessKey: 'x' } }, 'wrong signature'],
  ])('refuses one for %s', async (_, target, reason) => {
    expect(judge(await signer(target).getDbConnectAuthToken())).toBe(reason);
  });

  it('refuses one that has expired, or is for another service', async () => {
    const token = await signer().getDbConnectAuthToken();
    expect(judge(token, 'app', 901_000)).toBe('expired');
    expect(judge(token.replace('%2Fdsql%2F', '%2Frds-db%2F'))).toBe('signed for another service');
    expect(judge(token.replace('Expires=900', 'Expires=604801'))).toBe('expiry is not 1 to 604800 s');
    expect(judge('a password')).toBe('malformed token');
  });

  it('rejects with the error of a real cluster', () => {
    expect(verifier.refusal('app', 'expired')).toEqual({
      code: '08006',
      message: 'unable to accept connection, access denied',
    });
  });
});
