import { expect, it } from 'vitest';
import { Acquirer, makeEngine } from '../../support/fake-kind.js';

it('a slot released after its resource was lost is not handed out', () => {
  const { kind, engine } = makeEngine({ max: 1 });
  const a = new Acquirer(engine, 'a');
  const lost = kind.constructions[0]?.succeed();
  const { slot } = a;
  engine.discard(slot, 'dead');
  engine.release(slot, performance.now());
  expect([slot.state, lost?.parked]).toEqual(['gone', false]);
  expect([engine.state.connecting, engine.state.used, engine.state.idle, engine.state.total]).toEqual([
    0, 0, 0, 0,
  ]);
  const b = new Acquirer(engine, 'b');
  kind.constructions[0]?.succeed();
  expect(b.slot.resource).not.toBe(lost);
});

it('a slot released twice is idle once', () => {
  const { kind, engine } = makeEngine({ max: 2 });
  const a = new Acquirer(engine, 'a');
  kind.constructions[0]?.succeed();
  const { slot } = a;
  engine.release(slot, performance.now());
  engine.release(slot, performance.now(), 'tx_open');
  expect(slot.resource.destroyedFor).toBeUndefined();
  expect([engine.state.connecting, engine.state.used, engine.state.idle, engine.state.total]).toEqual([
    0, 0, 1, 1,
  ]);
  const [b, c] = [new Acquirer(engine, 'b'), new Acquirer(engine, 'c')];
  kind.constructions[0]?.succeed();
  expect(b.slot).toBe(slot);
  expect(c.slot).not.toBe(slot);
});
