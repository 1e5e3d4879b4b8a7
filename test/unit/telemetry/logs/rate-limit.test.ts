import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../../src/telemetry/logs/rate-limit.js';

describe('RateLimit', () => {
  it('admits each kind once per interval', () => {
    let now = 0;
    const limit = new RateLimit(100, () => now);
    const ask = (at: number, kind: string) => {
      now = at;
      return limit.admit(kind);
    };
    expect([ask(0, 'a'), ask(1, 'b'), ask(50, 'a'), ask(99, 'a'), ask(100, 'a'), ask(101, 'b')]).toEqual([
      0,
      0,
      undefined,
      undefined,
      2,
      0,
    ]);
  });
});
