import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';

const first = new AsyncLocalStorage<string>();
const second = new AsyncLocalStorage<string>();
const { detached } = await first.run('loading', () => import('../../../src/connection/detached.js'));
const stores = (): (string | undefined)[] => [first.getStore(), second.getStore()];

test('detached code runs in the async context of neither its caller nor the code that loaded the package', async () => {
  const seen = await first.run('calling', () =>
    second.run('calling', () =>
      detached(async () => {
        const now = stores();
        await new Promise((resolve) => setTimeout(resolve, 1));
        return [now, stores()];
      }),
    ),
  );
  expect(seen).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ]);
});

test('a store entered by detached code is not visible to code that runs after it', () => {
  first.run('calling', () => {
    detached(() => second.enterWith('entered'));
    expect(stores()).toEqual(['calling', undefined]);
    expect(detached(stores)).toEqual([undefined, undefined]);
  });
});

test('detached returns or throws the result of its function', () => {
  expect(detached(() => 1)).toBe(1);
  expect(() => detached(() => BigInt('x'))).toThrow(SyntaxError);
});
