import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, observed } from '../../support/telemetry.js';

const NAME = 'db.example:5432/shop';

afterEach(cleanUp);

describe('pool names', () => {
  it('are unique among pools with the same address, and available again after a pool has ended', () => {
    const [first, second, third] = [observed(), observed(), observed()];
    expect([first, second, third].map((pool) => pool.poolName)).toEqual([NAME, `${NAME}#2`, `${NAME}#3`]);
    second.observer.ended();
    second.observer.ended();
    expect(observed().poolName).toBe(`${NAME}#2`);
    expect(observed().poolName).toBe(`${NAME}#4`);
  });

  it('are taken from the options, or from the address with an IPv6 host in brackets', () => {
    expect(observed({ poolName: 'orders' }).poolName).toBe('orders');
    expect(observed({ host: '::1' }).poolName).toBe('[::1]:5432/shop');
  });
});
