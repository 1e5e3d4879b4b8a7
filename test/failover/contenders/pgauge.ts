// A pgauge pool under load, connecting in the way that its place specifies.
import { newPool } from '../../../src/index.js';
import { tell } from './events.js';
import { load } from './load.js';
import { ownPlace, rootsOf } from './place.js';
import { watchNetwork } from './watch-network.js';

const place = ownPlace();
watchNetwork(place);
const { way, hosts, port, haproxyPort, name, user, password } = place;
const where = {
  hosts: { hosts: hosts.map((host) => ({ host })), port },
  haproxy: { host: 'localhost', port: haproxyPort },
  name: { host: name, port },
}[way];

const pool = await newPool(
  {
    ...where,
    ...{ user, password, database: 'postgres', sslMode: 'verify-full' },
    targetSessionAttrs: 'read-write',
    maxOpenConns: 6,
    minConns: 0,
  },
  {
    ssl: { ca: rootsOf(place) },
    connectTimeoutMs: 4_000,
    acquireTimeoutMs: 60_000,
    connectRetryMs: 60_000,
    queryTimeoutMs: 5_000,
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined },
  },
);
await load(pool, place);
const { totalCount: most } = pool;
await pool.end();
const { newConnsCount: opened } = pool.stat();
tell('ended', JSON.stringify({ most, opened, left: pool.totalCount }));
