import pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { useLocalRds } from '../../test/support/servers.js';
import { IssuedTokens } from '../issued-tokens.js';

const ROLE = 'app@project.iam';
const IDENTITY = `${ROLE}.example`;

const rds = useLocalRds();
const tokens = new IssuedTokens();

beforeAll(async () => {
  const verifier = tokens.verifier({
    audience: 'login',
    roleOf: (identity) => identity.replace(/\.example$/, ''),
    refusal: (user, reason) => ({ code: '28P01', message: `no login for ${user}: ${reason}` }),
  });
  await rds().createUser(ROLE, { verifier });
});

afterEach(() => rds().gate.set({ rejectTokens: false, clock: () => new Date() }));

function issue(value: string, more: { identity?: string; audience?: string[] } = {}): string {
  const expiresAt = new Date(Date.now() + 3_600_000);
  return tokens.add({ identity: IDENTITY, audience: ['login'], ...more, value, expiresAt }).value;
}

async function userOf(password: string): Promise<unknown> {
  const { host, port, database, caPem } = rds();
  const client = new pg.Client({ host, port, user: ROLE, database, password, ssl: { ca: caPem } });
  await client.connect();
  const { rows } = await client.query<{ who: string }>('select current_user as who');
  await client.end();
  return rows[0]?.who;
}

describe('a role whose password is verified by a stand-in', () => {
  it('logs in with a token of its identity, which is counted', async () => {
    const before = rds().gate.stats().tokensAccepted;
    expect(await userOf(issue('good'))).toBe(ROLE);
    expect(rds().gate.stats().tokensAccepted).toBe(before + 1);
  });

  it.each([
    ['that was never issued', () => 'unknown', 'not a token of this issuer'],
    ['of another identity', () => issue('foreign', { identity: 'x' }), 'the token is of another identity'],
    ['for something else', () => issue('other', { audience: ['mail'] }), 'the token is for something else'],
  ])('is refused with a token %s', async (_, token, reason) => {
    const refused = { code: '28P01', message: `no login for ${ROLE}: ${reason}` };
    await expect(userOf(token())).rejects.toMatchObject(refused);
  });

  it("is refused with a token that has expired by the gate's clock", async () => {
    const token = issue('old');
    rds().gate.set({ clock: () => new Date(Date.now() + 3_700_000) });
    await expect(userOf(token)).rejects.toThrow('the token has expired');
  });

  it('is refused with a token that was revoked', async () => {
    const token = issue('revoked');
    tokens.revoke();
    await expect(userOf(token)).rejects.toThrow('not a token of this issuer');
  });

  it('is refused when the gate rejects all tokens', async () => {
    rds().gate.set({ rejectTokens: true });
    await expect(userOf(issue('any'))).rejects.toThrow('all tokens are rejected');
  });
});
