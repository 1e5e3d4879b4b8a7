import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { createCa } from '../../../local-rds/index.js';
import { runScript, type Child } from '../../support/child.js';
import { Proxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { useTlsGates } from '../../support/tls-gates.js';
import { until } from '../../support/until.js';

const ca = await createCa();
const server = usePostgres();
const gate = useTlsGates(server, { localhost: { ca, for: { dnsNames: ['localhost'] } } });
const SCRIPT = new URL('./scripts/stalls.ts', import.meta.url);
const TIMEOUT_MS = 180_000;

/**
 * How long the event loop is blocked, in milliseconds. More than a second exceeds the pool's limits, 500 ms exceeds
 * Node's attempt of one address, and 200 ms makes timers late.
 */
const STALLS_MS = [200, 500, 1_200, 5_000];
/** How long a process is stopped, and how long a piece of the traffic takes meanwhile, in milliseconds. */
const STOPPED_MS = 2_400;
const DELAY_MS = 20;

const QUIET = { closed: [], warnings: [] };
const CANCELED = { closed: [], warnings: ['postgres query canceled'] };
/** The outcome for each moment: no connection that works is closed, no warning logged, no query rejected. */
const EXPECTED: Readonly<Record<string, unknown>> = {
  ping: { found: [[1, 1, 1], 3], ...QUIET },
  tcp: { found: 1, ...QUIET },
  'tcp to a host of two addresses': { found: 1, ...QUIET },
  startup: { found: 1, ...QUIET },
  password: { found: 1, ...QUIET },
  'after connect': { found: 1, ...QUIET },
  'before connect': { found: 1, ...QUIET },
  settle: { found: [1, 1], ...QUIET },
  query: { found: [1, 1, 1_000_000, 1], ...QUIET },
  // The query really takes too long; its connection is kept.
  cancel: { found: [true, 1], ...CANCELED },
  'cancel dial': { found: [true, 1], ...CANCELED },
  acquire: { found: 1, ...QUIET },
  leak: { ...QUIET },
  saturation: { found: 1, ...QUIET },
  'end timeout': { found: 1, ...QUIET },
  end: { found: 0, ...QUIET },
};
const OVER_TLS: Readonly<Record<string, unknown>> = { ...EXPECTED, tls: EXPECTED['tcp'] };
const WHEN_STOPPED = Object.fromEntries(
  Object.entries(EXPECTED).filter(([name]) => !name.startsWith('cancel')),
);
const DEAD: Readonly<Record<string, unknown>> = {
  'ping of a dead peer': { found: [1, 2], closed: ['network'], warnings: ['postgres connection lost'] },
  'dial to a dead peer': {
    found: 'ERR_PGAUGE_CONNECT_TIMEOUT',
    closed: ['timeout'],
    warnings: ['postgres connect failed', 'postgres unreachable'],
  },
};

const proxies: Proxy[] = [];
afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
});

async function startProxy(): Promise<Proxy> {
  const proxy = new Proxy(server());
  await proxy.listen();
  proxies.push(proxy);
  return proxy;
}

function start(stallMs: number, names: readonly string[], where: object, env = {}): Child {
  const { user, password, database } = server();
  const PG = JSON.stringify({ user, password, database, ...where });
  return runScript(SCRIPT, [String(stallMs), ...names], { env: { PG, ...env }, timeoutMs: TIMEOUT_MS });
}

/** The outcomes that the process printed for each moment. */
async function outcomes(child: Child): Promise<Record<string, unknown>> {
  const { lines, stderr, code } = await child.result;
  const told = lines.flatMap((line) => {
    const [, name = '', outcome = ''] = /^(.*?): (.*)$/.exec(line) ?? [];
    return name === '' ? [] : [[name, JSON.parse(outcome) as unknown] as const];
  });
  return { ...Object.fromEntries(told), ...(code !== 0 && { code, stderr }) };
}

/** The outcomes of two processes, which share the moments and run at the same time. */
async function outcomesOf(stallMs: number, names: readonly string[], where: object): Promise<object> {
  const groups = [0, 1].map((group) => names.filter((_name, at) => at % 2 === group));
  const told = await Promise.all(groups.map((group) => outcomes(start(stallMs, group, where))));
  return Object.assign({}, ...told) as object;
}

async function allCancelled(): Promise<void> {
  const text = `select 1 from pg_stat_activity where state = 'active' and query like 'select ''cancel me''%'`;
  await until('every slow query is cancelled', async () => (await server().query(text)).rowCount === 0);
}

describe.concurrent.each(STALLS_MS)('an event loop blocked for %i ms', (stallMs) => {
  test(
    'costs no connection, no query and no warning, whenever it happens',
    { timeout: TIMEOUT_MS },
    async () => {
      const proxy = await startProxy();
      // Some of the moments are between an error and ReadyForQuery.
      proxy.set({ messageDelayMs: (type) => (type === 'Z' ? 30 : 0) });
      const { host, port } = proxy;
      expect(await outcomesOf(stallMs, Object.keys(EXPECTED), { host, port })).toEqual(EXPECTED);
      await allCancelled();
    },
  );

  test('costs no connection, no query and no warning over TLS', { timeout: TIMEOUT_MS }, async () => {
    const where = { ...gate('localhost'), sslMode: 'require' };
    expect(await outcomesOf(stallMs, Object.keys(OVER_TLS), where)).toEqual(OVER_TLS);
    await allCancelled();
  });

  test('does not prevent a dead peer from being detected', { timeout: TIMEOUT_MS }, async () => {
    const proxy = await startProxy();
    const { host, port } = proxy;
    const child = start(stallMs, Object.keys(DEAD), { host, port });
    await child.line('cut me off');
    proxy.forgetOpen();
    await child.line('be silent');
    proxy.set({ blackHole: true });
    expect(await outcomes(child)).toEqual(DEAD);
  });
});

describe('a process that is stopped and continued', () => {
  test(
    'loses no connection and no query, and logs no warning, whenever it happens',
    { timeout: TIMEOUT_MS },
    async () => {
      const proxy = await startProxy();
      // Delay the traffic so that it arrives while the process is stopped.
      proxy.set({ delayMs: DELAY_MS });
      const { host, port } = proxy;
      const child = start(STOPPED_MS, Object.keys(WHEN_STOPPED), { host, port }, { STOPPED: 'yes' });
      const told = outcomes(child);
      for (const name of Object.keys(WHEN_STOPPED)) {
        await child.line(`stop me: "${name}"`);
        child.kill('SIGSTOP');
        await sleep(STOPPED_MS);
        child.kill('SIGCONT');
      }
      const found = await told;
      expect(found).toEqual({ ...WHEN_STOPPED, 'stop me': expect.anything() as unknown });
    },
  );
});
