import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import knex from 'knex';
import pg from 'pg';
import { newPool, type InstrumentedPool } from 'pgauge';
import { describe, expect, test } from 'vitest';
import { RecordingLogger } from '../../../test/support/logger.js';
import { config } from '../config.js';

const HERE = join(import.meta.dirname, '..');
const ROOT = join(HERE, '../..');

/** All files below a folder, with their texts. */
function filesOf(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return new Map(paths.map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')]));
}

/** Loads pg again, like a tool with its own copy. */
function anotherCopyOfPg(): typeof pg {
  const require = createRequire(import.meta.url);
  const loaded = Object.entries(require.cache).filter(([file]) => /\/node_modules\/pg(-pool)?\//.test(file));
  for (const [file] of loaded) Reflect.deleteProperty(require.cache, file);
  try {
    return require('pg') as typeof pg;
  } finally {
    Object.assign(require.cache, Object.fromEntries(loaded));
  }
}

test('the installed pgauge is the last build (otherwise npm run build at the root, then npm ci here)', () => {
  expect(filesOf(join(HERE, 'node_modules/pgauge/dist'))).toEqual(filesOf(join(ROOT, 'dist')));
});

test('pgauge and the tools share one pg, so that its pool is a pg.Pool to all of them', () => {
  const places = [
    'pgauge',
    '@prisma/adapter-pg',
    'drizzle-orm/node-postgres',
    'knex',
    'node-pg-migrate',
    'pg-boss',
  ];
  const here = createRequire(join(HERE, 'package.json'));
  const found = [...places, 'sequelize', 'typeorm'].map((name) =>
    createRequire(here.resolve(name)).resolve('pg'),
  );
  expect(new Set(found)).toEqual(new Set([here.resolve('pg')]));
});

describe('a pool passed to a tool', () => {
  const offline = (): Promise<InstrumentedPool> =>
    newPool(
      { ...config, dynamicAuth: { awsRdsIam: { region: 'eu-central-1' } } },
      { logger: new RecordingLogger() },
    );

  test('is used by Prisma’s adapter directly, and left open', async () => {
    const pool = await offline();
    expect(pool).toBeInstanceOf(pg.Pool);
    const adapter = await new PrismaPg(pool).connect();
    expect(adapter.underlyingDriver()).toBe(pool);
    await adapter.dispose();
    expect(pool.ending).toBe(false);
    await pool.end();
  });

  test('is silently replaced by Prisma’s adapter if it comes from another copy of pg', async () => {
    const other = anotherCopyOfPg();
    const pool = new other.Pool();
    const adapter = await new PrismaPg(pool).connect();
    expect(adapter.underlyingDriver()).not.toBe(pool);
    await adapter.dispose();
    await pool.end();
  });

  test('is left open by Knex', async () => {
    const pool = await offline();
    await knex({ client: 'pg', connectionPool: pool }).destroy();
    expect(pool.ending).toBe(false);
    await pool.end();
  });
});
