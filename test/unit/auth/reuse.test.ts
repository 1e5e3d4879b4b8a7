import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HeldLogin, LoginIssuer, LoginTarget } from '../../../src/auth/backend.js';
import { reusing } from '../../../src/auth/reuse.js';
import { AuthError } from '../../../src/errors.js';

const MINUTE_MS = 60_000;
const TARGET: LoginTarget = { host: 'db', port: 5432, user: 'app' };

/** An issuer that numbers its answers; `answer` makes the n-th one. */
function counting(
  answer: (n: number) => string | HeldLogin | Promise<string | HeldLogin>,
  reused?: boolean,
  ended?: AbortSignal,
) {
  const calls: { target: LoginTarget; signal: AbortSignal }[] = [];
  const issuer: LoginIssuer = {
    source: { provider: 'vault' },
    ...(reused !== undefined && { reused }),
    issue: async (target, { signal }) => answer(calls.push({ target, signal })),
  };
  const wrapped = reusing(issuer, ended);
  const passwords = async (count: number, target = TARGET): Promise<string[]> => {
    const { signal } = new AbortController();
    const answers = await Promise.all(Array.from({ length: count }, () => wrapped.issue(target, { signal })));
    return answers.map((given) => (typeof given === 'string' ? given : given.password));
  };
  return { calls, passwords, wrapped };
}

const endingIn = (ms: number) => (n: number) => ({
  password: `p${n}`,
  expiresAt: new Date(Date.now() + ms),
});

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

describe('answers with an expiration', () => {
  it('serve all logins made at once and later ones, until shortly before they expire', async () => {
    const { calls, passwords } = counting(endingIn(MINUTE_MS));
    expect(new Set(await passwords(500))).toEqual(new Set(['p1']));
    vi.advanceTimersByTime(54_000);
    expect(await passwords(1)).toEqual(['p1']);
    vi.advanceTimersByTime(1_000);
    expect(await passwords(2)).toEqual(['p2', 'p2']);
    expect(calls).toHaveLength(2);
  });

  it('are renewed by the first login in the five minutes before they expire', async () => {
    const { passwords } = counting(endingIn(60 * MINUTE_MS));
    await passwords(1);
    vi.advanceTimersByTime(54 * MINUTE_MS);
    expect(await passwords(1)).toEqual(['p1']);
    vi.advanceTimersByTime(2 * MINUTE_MS);
    expect(await passwords(1)).toEqual(['p2']);
  });

  it('stay in use while their renewal fails', async () => {
    const { calls, passwords } = counting((n) => {
      if (n > 1) throw new Error('down');
      return endingIn(4 * MINUTE_MS)(n);
    });
    await passwords(1);
    vi.advanceTimersByTime(2 * MINUTE_MS);
    expect(await passwords(3)).toEqual(['p1', 'p1', 'p1']);
    expect(calls).toHaveLength(2);
  });

  it('are dropped by a rejected login, once in 10 s', async () => {
    const { passwords, wrapped } = counting(endingIn(60 * MINUTE_MS));
    await passwords(1);
    wrapped.source.rejected?.();
    expect(await passwords(1)).toEqual(['p2']);
    wrapped.source.rejected?.();
    expect(await passwords(1)).toEqual(['p2']);
    vi.advanceTimersByTime(10_000);
    wrapped.source.rejected?.();
    expect(await passwords(1)).toEqual(['p3']);
  });

  it('are kept apart by host, port and user', async () => {
    const { calls, passwords } = counting(endingIn(MINUTE_MS));
    for (const change of [{}, { host: 'other' }, { port: 1 }, { user: 'admin' }, {}])
      await passwords(1, { ...TARGET, ...change });
    expect(calls).toHaveLength(4);
  });

  it('are refused when already expired, and not kept', async () => {
    const { passwords } = counting((n) => endingIn(n === 1 ? 0 : MINUTE_MS)(n));
    await expect(passwords(1)).rejects.toThrow(
      new AuthError(
        `dynamic auth (vault): the token expired at ${new Date().toJSON()}: check its source and the clock of this machine`,
      ),
    );
    expect(await passwords(1)).toEqual(['p2']);
  });

  it('for a target no longer in use are not reported as expired', async () => {
    const { passwords, wrapped } = counting((n) => endingIn(n * MINUTE_MS)(n));
    await passwords(1);
    await passwords(1, { ...TARGET, host: 'other' });
    const startMs = Date.now();
    const [credentials] = wrapped.source.credentials ?? [];
    expect(credentials?.expireAtMs()).toBe(startMs + MINUTE_MS);
    vi.advanceTimersByTime(MINUTE_MS);
    expect(credentials?.expireAtMs()).toBe(startMs + 2 * MINUTE_MS);
    vi.advanceTimersByTime(2 * MINUTE_MS);
    expect(credentials?.expireAtMs()).toBe(startMs + MINUTE_MS);
  });

  it('are reported as fetches and as an expiration', async () => {
    const { passwords, wrapped } = counting((n) => {
      if (n > 1) throw new Error('down');
      return endingIn(MINUTE_MS)(n);
    });
    const fetches: unknown[] = [];
    const [credentials] = wrapped.source.credentials ?? [];
    const forget = credentials?.observe({ fetched: (...fetch) => fetches.push(fetch) });
    expect(credentials?.expireAtMs()).toBeUndefined();
    await passwords(2);
    expect(fetches).toEqual([['vault', expect.any(Number), undefined]]);
    expect(credentials?.expireAtMs()).toBe(Date.now() + MINUTE_MS);
    vi.advanceTimersByTime(MINUTE_MS);
    await expect(passwords(1)).rejects.toThrow('down');
    expect(fetches).toHaveLength(2);
    forget?.();
    await expect(passwords(1)).rejects.toThrow('down');
    expect(fetches).toHaveLength(2);
  });
});

describe('answers reused for a fixed time', () => {
  it('are renewed after that time, and have no expiration', async () => {
    const { passwords, wrapped } = counting((n) => ({ password: `p${n}`, reuseMs: 15 * MINUTE_MS }), true);
    await passwords(1);
    vi.advanceTimersByTime(14 * MINUTE_MS);
    expect(await passwords(1)).toEqual(['p1']);
    vi.advanceTimersByTime(MINUTE_MS);
    expect(await passwords(1)).toEqual(['p2']);
    expect(wrapped.source.credentials?.[0]?.expireAtMs()).toBeUndefined();
  });
});

describe('answers valid for one login only', () => {
  it('are requested by every login, also by those that waited for the first answer', async () => {
    const { calls, passwords, wrapped } = counting((n) => `p${n}`);
    expect(new Set(await passwords(10))).toHaveProperty('size', 10);
    expect(await passwords(1)).toEqual(['p11']);
    expect(calls).toHaveLength(11);
    expect(wrapped.source.credentials?.[0]?.expireAtMs()).toBeUndefined();
  });

  it('need no wrapper when the issuer declares them', () => {
    const issuer: LoginIssuer = {
      source: { provider: 'p' },
      reused: false,
      issue: () => Promise.resolve('x'),
    };
    expect(reusing(issuer)).toBe(issuer);
  });
});

describe('a fetch that hangs', () => {
  it('is aborted with the reason when the last login gives up', async () => {
    const { calls, wrapped } = counting(() => new Promise(() => undefined));
    const [one, two] = [new AbortController(), new AbortController()];
    const logins = [one, two].map(({ signal }) => wrapped.issue(TARGET, { signal }));
    const reason = new Error('deadline');
    one.abort(reason);
    await expect(logins[0]).rejects.toMatchObject({ name: 'AuthError', cause: reason });
    expect(calls[0]?.signal.aborted).toBe(false);
    two.abort(reason);
    await expect(logins[1]).rejects.toThrow('dynamic auth (vault): gave up waiting for a password: deadline');
    expect(calls[0]?.signal.reason).toBe(reason);
    expect(calls).toHaveLength(1);
  });
});

describe('a renewal that no login waits for', () => {
  const renewing = async (ended: AbortSignal) => {
    const { calls, passwords } = counting(
      (n) => (n === 1 ? endingIn(4 * MINUTE_MS)(n) : new Promise(() => undefined)),
      undefined,
      ended,
    );
    await passwords(1);
    vi.advanceTimersByTime(MINUTE_MS);
    return { calls, login: passwords(1) };
  };

  it('continues, and is aborted when the pool ends', async () => {
    const ended = new AbortController();
    const { calls, login } = await renewing(ended.signal);
    expect(await login).toEqual(['p1']);
    expect(calls[1]?.signal.aborted).toBe(false);
    ended.abort();
    expect(calls[1]?.signal.aborted).toBe(true);
  });

  it('is aborted by the last login that waits for it after the pool has ended', async () => {
    const ended = new AbortController();
    const { calls, login } = await renewing(ended.signal);
    ended.abort();
    expect(calls[1]?.signal.aborted).toBe(false);
    expect(await login).toEqual(['p1']);
    expect(calls[1]?.signal.aborted).toBe(true);
  });
});

describe('an answer that cannot be a password', () => {
  it.each<[unknown, string]>([
    ['', 'the token is an empty text'],
    [undefined, 'the token is no text'],
    [null, 'the token is no text'],
    [Buffer.from('x'), 'the token is no text'],
    [{ expiresAt: new Date() }, 'the token is no text'],
    ['a\0b', 'the token contains a NUL character'],
    ['x'.repeat(65_536), 'the token has 65536 bytes, and 65535 are possible'],
    [{ password: 'x', user: '' }, 'the user is an empty text'],
    [{ password: 'x', user: 'a\0' }, 'the user must not contain control characters'],
    [{ password: 'x', expiresAt: '2030-01-01' }, 'expiresAt must be a Date'],
    [{ password: 'x', expiresAt: new Date(NaN) }, 'expiresAt must be a Date'],
  ])('%j is refused and not kept', async (answer, message) => {
    const { passwords } = counting((n) => (n === 1 ? (answer as string) : 'good'));
    await expect(passwords(1)).rejects.toThrow(new AuthError(`dynamic auth (vault): ${message}`));
    expect(await passwords(1)).toEqual(['good']);
  });
});
