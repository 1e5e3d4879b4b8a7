import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocksOf, ROOT } from '../support/docs/code-blocks-markdown.js';
import { usePostgres } from '../support/servers.js';
import { TempCopy } from '../support/temp-copy.js';

const server = usePostgres();
const RELOADS = 6;
const MAX_OPEN_CONNS = 10;

const PAGE = 'docs/guides/bundlers-and-serverless.md';
const text = readFileSync(join(ROOT, PAGE), 'utf8');
/** The module that the guide recommends. */
const KEPT = blocksOf({ path: PAGE, text }).find(({ code }) => code.includes('globalThis'))?.code;
const MADE_ANEW = `import { newPool } from 'pgauge';\nconst pool = await newPool(config);\nexport { pool };\n`;

/** Evaluates the module repeatedly, as a dev server does, and uses all connections of its pool each time. */
const PROGRAM = `
  import pg from 'pg';
  const { host, port, user, password, database } = JSON.parse(process.env.CONFIG ?? '');
  for (let n = 0; n < ${RELOADS}; n++) {
    const { pool } = await import('./db.mts?v=' + n);
    await Promise.all(Array.from({ length: ${MAX_OPEN_CONNS} }, () => pool.query('select pg_sleep(0.1)')));
  }
  const admin = new pg.Client({ host, port, user, password, database });
  await admin.connect();
  const others = "select from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
  console.log((await admin.query(others)).rowCount);
  process.exit();`;

/** The number of sessions after the reloads, and the warnings. */
async function reload(module: string): Promise<{ sessions: number; warnings: unknown[] }> {
  const { host, port, user, password, database } = server();
  const config = { host, port, user, password, database, sslMode: 'disable', maxOpenConns: MAX_OPEN_CONNS };
  const copy = new TempCopy({ linked: ['pg', 'pino', '@opentelemetry/api'] });
  const code = module.replace("'pgauge'", "'./src/index.js'");
  copy.write('db.mts', `const config = JSON.parse(process.env.CONFIG ?? '');\n${code}`);
  const { lines, stderr } = await copy.run(PROGRAM, [], {
    CONFIG: JSON.stringify(config),
    PGAUGE_LOG_LEVEL: 'warn',
  });
  const warnings = stderr.split('\n').filter((line) => line !== '');
  return { sessions: Number(lines[0]), warnings: warnings.map((line) => JSON.parse(line) as unknown) };
}

describe('a module that a dev server evaluates again after each change', () => {
  it('keeps one pool on globalThis, as the guide recommends', async () => {
    expect(await reload(`${KEPT}export { pool };\n`)).toEqual({ sessions: MAX_OPEN_CONNS, warnings: [] });
  });

  it('causes one warning with advice when it creates a pool each time', async () => {
    const { sessions, warnings } = await reload(MADE_ANEW);
    expect(sessions).toBe(RELOADS * MAX_OPEN_CONNS);
    expect(warnings).toEqual([
      expect.objectContaining({
        msg: 'postgres many pools of one target',
        pools: 5,
        hint: expect.stringContaining('globalThis') as string,
      }),
    ]);
  });
});
