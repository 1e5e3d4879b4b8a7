// A pg.Pool under the same load, with the same limits as pgauge's.
import pg from 'pg';
import { tell } from './events.js';
import { load } from './load.js';
import { ownPlace, rootsOf } from './place.js';
import { watchNetwork } from './watch-network.js';

const place = ownPlace();
watchNetwork(place);
const { way, port, haproxyPort, name, user, password } = place;
const pool = new pg.Pool({
  ...(way === 'haproxy' ? { host: 'localhost', port: haproxyPort } : { host: name, port }),
  ...{ user, password, database: 'postgres', ssl: { ca: rootsOf(place) }, max: 6 },
  connectionTimeoutMillis: 4_000,
  query_timeout: 5_000,
});
await load(pool, place);
await pool.end();
tell('ended', JSON.stringify({ left: pool.totalCount }));
