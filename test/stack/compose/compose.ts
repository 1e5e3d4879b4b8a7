import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { parse } from 'yaml';
import { DASHBOARDS } from '../../../dashboards/src/files.js';
import { panelQueries, readDashboard, withVariables } from '../../support/dashboard-queries.js';
import { MissingTool } from '../../support/tools/run-tool.js';
import { until } from '../../support/until.js';
import { service, services } from '../../support/stack-files.js';
import { EVERYTHING } from '../phases/dashboards.js';
import { targets } from '../phases/pipeline.js';
import { PrometheusApi } from '../servers/prometheus-api.js';
import { RULES } from '../servers/prometheus-config.js';
import { SERVICE } from '../stack.js';
import type { Table } from '../table.js';
import { Engine } from './engine.js';
import { Project } from './project.js';
import { importImage, override, standIns } from './stand-ins.js';

const PROMETHEUS = 'http://127.0.0.1:9090';
const GRAFANA = 'http://127.0.0.1:3000';
const ENDED = 'exited (0)';
/** For each dashboard, a panel that has data while nothing is wrong. */
const PANELS: Readonly<Record<string, string>> = {
  'pgauge-pool': 'Connections against the limit',
  'pgauge-queries': 'Query latency p50, p95, p99',
  'pgauge-auth': 'Token refresh p50, p95, p99',
};
const WAIT_MS = 180_000;
const LOOK_EVERY_MS = 500;

/** Runs `docker compose up` under a container engine, with a stand-in for each image; the table lists the stand-ins. */
export async function composeUp(table: Table): Promise<void> {
  try {
    await portsAreFree();
    await using engine = await Engine.start();
    table.row(
      'container engine',
      'runs',
      `Docker ${await engine.docker('version', '--format', '{{.Server.Version}}')}`,
      true,
    );
    const all = await standIns();
    await importImage(engine);
    const project = await Project.with(override(all), engine);
    try {
      await up(table, project);
      await containers(table, project);
      await grafana(table);
      await prometheus(table);
      await queries(table);
      await traces(table, project);
      await stop(table, project);
    } catch (error) {
      console.log(await project.run('logs', '--tail', '20'));
      throw error;
    } finally {
      await project.run('down', '--volumes');
    }
    table.equal('containers, volumes and networks after down', [], await left(engine));
    for (const { name, what } of all)
      table.cannotRun(`${service(name).image} (${name})`, `its stand-in was ${what}`);
  } catch (error) {
    if (!(error instanceof MissingTool)) throw error;
    table.row('docker compose up', 'an engine', error.message, false);
  }
}

async function up(table: Table, project: Project): Promise<void> {
  const startedAt = performance.now();
  await project.run('up', '--detach', '--wait');
  table.row(
    'docker compose up',
    'no error',
    `took ${Math.round((performance.now() - startedAt) / 1_000)} s`,
    true,
  );
}

/** Checks that every service runs, and is healthy if the file defines a health check. */
async function containers(table: Table, project: Project): Promise<void> {
  const states = new Map((await project.containers()).map(({ service, state }) => [service, state]));
  for (const { name, healthcheck } of services) {
    const expected = name === 'install' ? ENDED : healthcheck ? 'running (healthy)' : 'running';
    table.equal(name, expected, states.get(name));
  }
}

async function grafana(table: Table): Promise<void> {
  const found = (await (await fetch(`${GRAFANA}/api/search`)).json()) as { uid: string }[];
  table.equal(
    'dashboards where Grafana looks',
    DASHBOARDS.map(({ board }) => board.uid).sort(),
    found.map(({ uid }) => uid).sort(),
  );
}

async function prometheus(table: Table): Promise<void> {
  const api = new PrometheusApi(PROMETHEUS);
  await targets(table, api);
  const { groups } = parse(await readFile(RULES, 'utf8')) as { groups: { rules: unknown[] }[] };
  const evaluated = async (): Promise<boolean> =>
    (await api.rules()).every(({ health }) => health !== 'unknown');
  await until('rules', evaluated, WAIT_MS, LOOK_EVERY_MS).catch(() => undefined);
  const healthy = (await api.rules()).filter(({ health }) => health === 'ok');
  table.equal('rules that are evaluated', groups.flatMap(({ rules }) => rules).length, healthy.length);
  const ofDemo = `count(db_client_connection_count{job="${SERVICE}"})`;
  await until('series', async () => ((await api.number(ofDemo)) ?? 0) > 0, WAIT_MS, LOOK_EVERY_MS);
  table.row('series of the demo', 'arrive', `${await api.number(`count({job="${SERVICE}"})`)} series`, true);
}

/** Sends queries the way Grafana's panels do: through its datasource. */
async function queries(table: Table): Promise<void> {
  const api = new PrometheusApi(`${GRAFANA}/api/datasources/proxy/uid/prometheus`);
  for (const [uid, title] of Object.entries(PANELS)) {
    const asked = panelQueries(readDashboard(uid)).filter(({ panelTitle }) => panelTitle === title);
    if (asked.length === 0) throw new Error(`${uid} has no panel ${title}`);
    for (const { refId, expr } of asked) {
      const ready = withVariables(expr, EVERYTHING);
      const data = async (): Promise<number[] | undefined> => {
        const values = (await api.query(ready)).map(({ value }) => value);
        return values.length > 0 && values.every(Number.isFinite) ? values : undefined;
      };
      await table.works(`${uid}: ${title} ${refId}`, async () => {
        const values = await until('data', data, WAIT_MS, LOOK_EVERY_MS);
        return values.map((value) => Number(value.toPrecision(3))).join(', ');
      });
    }
  }
}

async function traces(table: Table, project: Project): Promise<void> {
  const received = async (): Promise<number> => {
    const log = await project.run('logs', 'tempo');
    return [...log.matchAll(/"spans": (\d+)/g)].reduce((sum, [, spans]) => sum + Number(spans), 0);
  };
  await table.works('spans where Tempo listens', async () => {
    return `${await until('spans', received, WAIT_MS, LOOK_EVERY_MS)} spans`;
  });
}

/** Checks that every process ends on request. */
async function stop(table: Table, project: Project): Promise<void> {
  await project.run('stop');
  for (const { service, state } of await project.containers())
    table.equal(`${service}, stopped`, ENDED, state);
}

/** The ids of the containers, volumes and networks that the engine still has. */
async function left(engine: Engine): Promise<string[]> {
  const ids = await Promise.all([
    engine.docker('ps', '--all', '--quiet'),
    engine.docker('volume', 'ls', '--quiet'),
    engine.docker('network', 'ls', '--quiet', '--filter', 'type=custom'),
  ]);
  return ids.join('\n').split('\n').filter(Boolean);
}

/** Checked here because Docker would report an occupied port only after minutes. */
async function portsAreFree(): Promise<void> {
  for (const { name, ports = [] } of services)
    for (const published of ports) {
      const [host, port] = published.split(':');
      const server = createServer();
      const free = once(server.listen(Number(port), host), 'listening').finally(() => server.close());
      await free.catch((cause: unknown) => {
        throw new Error(`cannot publish port ${port} of ${name}: ${(cause as Error).message}`, { cause });
      });
    }
}
