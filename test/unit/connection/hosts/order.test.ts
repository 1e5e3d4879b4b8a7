import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostOrder, TRIED_LAST_MS, type HostRound } from '../../../../src/connection/hosts/order.js';

/** The outcome of an attempt at each host; it stops at the first that works. */
const OUTCOME = fc.constantFrom('fails', 'is silent', 'works');

/** Steps of a pool: time passes, an attempt begins, or an attempt in progress tries its next host or is given up. */
const STEPS = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 25_000 }) }),
    fc.record({ do: fc.constant('begin' as const) }),
    fc.record({ do: fc.constant('try' as const), attempt: fc.nat(), outcome: OUTCOME }),
    fc.record({ do: fc.constant('end' as const), attempt: fc.nat() }),
  ),
  { maxLength: 60 },
);

/** A minimal model of when a host is tried last, and which attempt probes it. */
class Model {
  readonly lastUntil: number[];
  readonly silent: boolean[];
  readonly probe: (HostRound | undefined)[];

  constructor(count: number) {
    this.lastUntil = Array<number>(count).fill(0);
    this.silent = Array<boolean>(count).fill(false);
    this.probe = Array<HostRound | undefined>(count).fill(undefined);
  }

  /** 0 for a host at its own position, 1 for one tried last, 2 for one tried after those. */
  rank(host: number, now: number): number {
    const until = this.lastUntil[host] ?? 0;
    if (until === 0 || (now >= until && this.probe[host] === undefined)) return 0;
    return this.silent[host] === true ? 2 : 1;
  }
}

describe('the order of hosts', () => {
  it('is that of the config, until a host fails', () => {
    expect(new HostOrder(3).begin().order).toEqual([0, 1, 2]);
  });

  it('puts a failed host last for 10 s, and then lets one attempt at a time probe it', () => {
    let now = 1_000;
    const order = new HostOrder(3, undefined, () => now);
    const first = order.begin();
    first.failed(0, false);
    first.succeeded(1);
    first.end();
    now += TRIED_LAST_MS - 1;
    expect(order.begin().order).toEqual([1, 2, 0]);
    now += 1;
    const probing = order.begin();
    expect(probing.order).toEqual([0, 1, 2]);
    expect(order.begin().order).toEqual([1, 2, 0]);
    probing.end();
    expect(order.begin().order).toEqual([0, 1, 2]);
  });

  it('puts a silent host after those that failed with an error', () => {
    const order = new HostOrder(4);
    const first = order.begin();
    first.failed(0, true);
    first.failed(1, false);
    first.failed(2, false);
    first.end();
    expect(order.begin().order).toEqual([3, 1, 2, 0]);
  });

  it('is the order of the config again once the host works', () => {
    let now = 1_000;
    const order = new HostOrder(2, undefined, () => now);
    const first = order.begin();
    first.failed(0, false);
    first.end();
    now += TRIED_LAST_MS;
    const probing = order.begin();
    probing.succeeded(0);
    probing.end();
    expect(order.begin().order).toEqual([0, 1]);
  });

  it('always includes every host once, failed ones last and silent ones after them, and lets one attempt at a time probe', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.boolean(), STEPS, (count, random, steps) => {
        let now = 1;
        const order = new HostOrder(count, random ? Math.random : undefined, () => now);
        const model = new Model(count);
        const rounds: { round: HostRound; left: number[] }[] = [];
        const over = (round: HostRound): void => {
          round.end();
          for (const [host, by] of model.probe.entries()) if (by === round) model.probe[host] = undefined;
          rounds.splice(
            rounds.findIndex((one) => one.round === round),
            1,
          );
        };
        for (const step of steps) {
          if (step.do === 'wait') now += step.ms;
          else if (step.do === 'begin') {
            const ranks = model.lastUntil.map((_, host) => model.rank(host, now));
            const round = order.begin();
            expect([...round.order].sort()).toEqual(model.lastUntil.map((_, host) => host));
            const found = round.order.map((host) => ranks[host]);
            expect(found).toEqual([...found].sort());
            if (!random) {
              const kept = (rank: number) => round.order.filter((host) => ranks[host] === rank);
              for (const rank of [0, 1, 2]) expect(kept(rank)).toEqual([...kept(rank)].sort());
            }
            for (const host of round.order) {
              if (model.lastUntil[host] !== 0 && ranks[host] === 0) model.probe[host] = round;
            }
            rounds.push({ round, left: [...round.order] });
          } else if (rounds.length > 0) {
            const one = rounds[step.attempt % rounds.length];
            if (one === undefined) continue;
            const host = step.do === 'try' ? one.left.shift() : undefined;
            if (host === undefined || step.do !== 'try') {
              over(one.round);
              continue;
            }
            const works = step.outcome === 'works';
            if (works) one.round.succeeded(host);
            else one.round.failed(host, step.outcome === 'is silent');
            model.silent[host] = step.outcome === 'is silent';
            model.lastUntil[host] = works ? 0 : now + TRIED_LAST_MS;
            if (model.probe[host] === one.round) model.probe[host] = undefined;
            if (works) over(one.round);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('puts each host first about equally often when shuffled', () => {
    const order = new HostOrder(3, Math.random);
    const counts = [0, 0, 0];
    for (let n = 0; n < 3_000; n += 1) {
      const [first = 0] = order.begin().order;
      counts[first] = (counts[first] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(800);
  });
});
