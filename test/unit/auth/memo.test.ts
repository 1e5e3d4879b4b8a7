import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CredentialMemo, type Perishable } from '../../../src/auth/memo.js';

const MINUTE_MS = 60_000;

interface Credentials extends Perishable {
  readonly id: string;
}

function key(id: string, lifetimeMs?: number): Credentials {
  const expiration = lifetimeMs === undefined ? {} : { expiration: new Date(Date.now() + lifetimeMs) };
  return { id, ...expiration };
}

const hang = (): Promise<Credentials> => new Promise(() => undefined);
const give = (credentials: Credentials) => () => Promise.resolve(credentials);

describe('CredentialMemo', () => {
  let memo: CredentialMemo<Credentials>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    memo = new CredentialMemo({ renewBeforeMs: 15 * MINUTE_MS, report: () => undefined });
  });
  afterEach(() => void vi.useRealTimers());

  it('keeps credentials that do not expire', async () => {
    const held = key('A');
    await memo.get(give(held));
    vi.advanceTimersByTime(24 * 60 * MINUTE_MS);
    expect(await memo.get(hang)).toBe(held);
  });

  it('returns the held credentials while their renewal hangs', async () => {
    const held = key('A', 16 * MINUTE_MS);
    await memo.get(give(held));
    vi.advanceTimersByTime(2 * MINUTE_MS);
    expect(await memo.get(hang)).toBe(held);
  });

  it('does not wait for a renewal that has been running for 2 s', async () => {
    const held = key('A', 16 * MINUTE_MS);
    await memo.get(give(held));
    vi.advanceTimersByTime(2 * MINUTE_MS);
    void memo.get(hang);
    vi.advanceTimersByTime(2_000);
    const start = process.hrtime.bigint();
    expect(await memo.get(hang)).toBe(held);
    expect(Number(process.hrtime.bigint() - start) / 1e6).toBeLessThan(1_800);
  });

  it('starts another fetch when one hangs for 10 s, and uses its result', async () => {
    const hanging = memo.get(hang);
    vi.advanceTimersByTime(9_999);
    const joined = memo.get(give(key('B')));
    vi.advanceTimersByTime(1);
    const held = key('C');
    expect(await memo.get(give(held))).toBe(held);
    expect(await Promise.race([hanging, joined, Promise.resolve('pending')])).toBe('pending');
  });

  it('does not replace newer credentials with a late answer', async () => {
    let answer: (credentials: Credentials) => void = () => undefined;
    const late = memo.get(() => new Promise((resolve) => (answer = resolve)));
    vi.advanceTimersByTime(10_000);
    const newer = key('B');
    await memo.get(give(newer));
    answer(key('A'));
    expect((await late).id).toBe('A');
    expect(await memo.get(hang)).toBe(newer);
  });

  it('keeps suspected credentials when fetching others fails, and does not fetch again at once', async () => {
    const held = key('A');
    await memo.get(give(held));
    memo.suspect();
    expect(await memo.get(() => Promise.reject(new Error('down')))).toBe(held);
    const fetch = vi.fn(hang);
    expect(await memo.get(fetch)).toBe(held);
    expect(fetch).not.toHaveBeenCalled();
  });

  it('waits for new credentials when the held ones have expired, and rejects with the error of the fetch', async () => {
    await memo.get(give(key('A', MINUTE_MS)));
    vi.advanceTimersByTime(MINUTE_MS);
    await expect(memo.get(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
  });
});
