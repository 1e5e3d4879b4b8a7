/* global fetch */
// Stands in for Grafana: reads what is provisioned at the paths where Grafana reads it, and answers three of Grafana's
// HTTP requests: health, the list of dashboards, and a datasource's proxy.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const PROVISIONING = '/etc/grafana/provisioning';
const PROXY = /^\/api\/datasources\/proxy\/uid\/([\w-]+)(\/.*)$/;

const datasources = new Map(
  provisioned('datasources', /^ {4}uid: (\S+)[^]*?^ {4}url: (\S+)/gm).map(([, uid, url]) => [uid, url]),
);
const boards = provisioned('dashboards', /^ {6}path: (\S+)/gm).flatMap(([, folder]) =>
  filesOf(folder).map((text) => JSON.parse(text)),
);
// Grafana's home page is one of them.
JSON.parse(readFileSync(process.env['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'], 'utf8'));

createServer((request, response) => {
  answer(request.url).then(
    ({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    (error) => response.writeHead(502).end(String(error.cause ?? error)),
  );
}).listen(3000);
process.once('SIGTERM', () => process.exit());

async function answer(path) {
  if (path === '/api/health') return found({ database: 'ok' });
  if (path === '/api/search') return found(boards.map(({ uid, title }) => ({ uid, title })));
  const [, uid, rest] = PROXY.exec(path) ?? [];
  const datasource = datasources.get(uid);
  if (datasource === undefined) return { status: 404, body: '{}' };
  const response = await fetch(datasource + rest);
  return { status: response.status, body: await response.text() };
}

function found(value) {
  return { status: 200, body: JSON.stringify(value) };
}

/** What a pattern finds in the provisioning files of a kind. */
function provisioned(kind, pattern) {
  return filesOf(join(PROVISIONING, kind)).flatMap((text) => [...text.matchAll(pattern)]);
}

function filesOf(folder) {
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
}
