import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { canBeginTls, canPipeline } from '../../../src/connection/driver.js';
import { usePostgres } from '../../support/servers.js';
import { blocksOf, pagesWithCode } from '../../support/docs/code-blocks-markdown.js';
import { programsOf } from './programs.js';
import { useWorld } from './world.js';

const PAGES = pagesWithCode();
const BLOCKS = PAGES.flatMap((page) => blocksOf(page).map((block) => ({ ...block, page: page.path })));
// An older pg is refused with the settings in these guides.
const WITHOUT = [
  ...(canPipeline() ? [] : ['docs/guides/pipelining.md']),
  ...(canBeginTls() ? [] : ['docs/guides/tls-modes.md']),
];
const PROGRAMS = PAGES.filter(({ path }) => !WITHOUT.includes(path)).flatMap(programsOf);

describe('the programs in the documentation', () => {
  const run = useWorld();

  it.each(PROGRAMS)('run: $place', async (program) => {
    const { code, lines, stderr } = await run(program);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines.filter((line) => line.startsWith('used ')).sort()).toEqual(
      program.pools.map((pool) => `used ${pool}`).sort(),
    );
  });

  it('log in with tokens and with passwords', () => {
    const using = (tokens: boolean) =>
      PROGRAMS.filter((one) => one.tokens === tokens && one.pools.length > 0);
    expect(using(true).length).toBeGreaterThan(3);
    expect(using(false).length).toBeGreaterThan(3);
  });
});

describe('the SQL in the documentation', () => {
  const server = usePostgres();

  it.each(
    BLOCKS.filter(({ language, notRun, from }) => language === 'sql' && (notRun ?? from) === undefined),
  )('runs: $page:$line', async ({ code }) => {
    const { host, port, user, password, database } = server();
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    try {
      // The role as on RDS, and the roles that the guides for other clouds create.
      await client.query(
        'begin; create role rds_iam; create role "orders-app"; create role "app@shop-123.iam"',
      );
      await client.query(code);
    } finally {
      await client.end();
    }
  });
});

describe('the code blocks that are not run', () => {
  const notRun = BLOCKS.filter((block) => block.notRun !== undefined);

  it('each state a reason', () => {
    expect(notRun.filter(({ notRun: reason = '' }) => reason.split(/\s+/).length < 3)).toEqual([]);
  });

  it('are fewer than a quarter', () => {
    const runnable = BLOCKS.filter(({ language }) => ['ts', 'js', 'sql'].includes(language));
    expect(notRun.length).toBeLessThan(runnable.length / 4);
  });
});
