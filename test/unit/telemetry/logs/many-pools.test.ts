import { afterEach, describe, expect, it } from 'vitest';
import { MANY_POOLS } from '../../../../src/telemetry/logs/many-pools.js';
import { cleanUp, idleGauges, keptLogs, observed } from '../../../support/telemetry.js';

const MESSAGE = 'postgres many pools of one target';
afterEach(cleanUp);

/** Creates pools that are never ended; returns the warnings. */
function make(count: number, identity: Parameters<typeof observed>[0]): readonly object[] {
  const { logger, named } = keptLogs();
  for (let n = 0; n < count; n++) observed(identity, { logger }).watch(idleGauges());
  return named(MESSAGE).map(({ fields }) => fields);
}

describe('many live pools of one target and name', () => {
  it('cause one warning with advice', () => {
    const target = { host: 'many.example' };
    expect(make(MANY_POOLS - 1, target)).toEqual([]);
    expect(make(10, target)).toEqual([
      expect.objectContaining({
        pool: `many.example:5432/shop#${MANY_POOLS}`,
        pools: MANY_POOLS,
        hint: expect.stringContaining('globalThis') as string,
      }),
    ]);
    cleanUp();
    expect(make(MANY_POOLS, target)).toEqual([]);
  });

  it.each([
    ['of several databases', (n: number) => ({ host: 'a.example', database: `tenant_${n}` })],
    ['of several databases under one name', (n: number) => ({ poolName: 'tenant', database: `tenant_${n}` })],
    ['with names of their own', (n: number) => ({ host: 'b.example', poolName: `job ${n}` })],
  ])('do not include pools %s', (_title, identity) => {
    for (let n = 0; n < 2 * MANY_POOLS; n++) expect(make(1, identity(n))).toEqual([]);
  });

  it('do not include ended pools', () => {
    const { logger, named } = keptLogs();
    for (let n = 0; n < 3 * MANY_POOLS; n++) {
      const { observer, watch } = observed({ host: 'ended.example' }, { logger });
      watch(idleGauges());
      observer.ended();
    }
    expect(named(MESSAGE)).toEqual([]);
  });
});
