// Loads the driver, by itself or with `pgauge` as pgauge does; prints what that left behind.
import { createRequire } from 'node:module';

const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
if (process.argv[2] === 'pgauge') {
  const { loadDriver } = await import('../../../src/connection/load-driver.js');
  loadDriver();
} else createRequire(import.meta.url)('pg');
const after = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };
console.log(
  JSON.stringify({
    fetch: moduleLoadList.some((name) => name.includes('undici')),
    navigator: before !== undefined,
    unchanged: before?.get === after?.get && before?.value === after?.value,
  }),
);
