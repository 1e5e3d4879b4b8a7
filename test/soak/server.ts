import { join } from 'node:path';
import {
  startGate,
  startImds,
  startLocalRds,
  type GateControls,
  type LocalRds,
  type ShutdownMode,
} from '../../local-rds/index.js';
import { Proxy } from '../support/proxy.js';
import type { ProxyControls } from '../support/proxy-link.js';
import { sessionsOf } from '../support/sessions.js';

// The server's side of a soak is a separate process, so that the load's process contains only the pool.

/** How long the role's credentials last, in milliseconds: short, so that they are renewed repeatedly. */
const CREDENTIALS_LIFETIME_MS = 20 * 60_000;
/** How long a login takes after the restart whose concurrent logins are counted, in milliseconds. */
const STORM_LOGIN_MS = 150;

/** A proxy in front of a gate that is started later, because tokens are signed for the proxy's port. */
const proxyTo = (gate: () => { readonly port: number }): Proxy =>
  new Proxy({
    get host() {
      return '127.0.0.1';
    },
    get port() {
      return gate().port;
    },
  });
// Two paths to the server, each of which can be disturbed alone; a pool with two hosts uses both.
const proxies = [proxyTo(() => rds.gate), proxyTo(() => secondGate)] as const;
for (const proxy of proxies) await proxy.listen();
// Otherwise sessions of dead connections would fill the server.
setInterval(() => proxies.forEach((proxy) => proxy.dropClosed()), 500).unref();
const rds: LocalRds = await startLocalRds({ advertisedPort: proxies[0].port });
const issued: string[] = [];
const imds = await startImds({
  region: rds.region,
  credentials: (lifetimeMs) => {
    const key = rds.credentials.issueTemporary({ lifetimeMs });
    issued.push(key.accessKeyId);
    return key;
  },
});
imds.setCredentialsLifetime(CREDENTIALS_LIFETIME_MS);
const { certPem, keyPem } = await rds.ca.issue({ dnsNames: ['localhost'] });
const { postgres } = rds;
const gateOptions = {
  backend: {
    socketPath: join(postgres.socketDir, `.s.PGSQL.${postgres.port}`),
    host: postgres.host,
    port: postgres.port,
  },
  tls: { cert: certPem, key: keyPem },
  region: rds.region,
  iamUsers: [rds.user],
  credentials: (accessKeyId: string, now: Date) => rds.credentials.find(accessKeyId, now),
};
const stormGate = await startGate(gateOptions);
const secondGate = await startGate({ ...gateOptions, advertisedPort: proxies[1].port });

const commands = {
  facts() {
    const { host, region, user, database, caPem } = rds;
    return {
      ...{ host, region, user, database, caPem },
      ports: proxies.map(({ port }) => port),
      stormPort: stormGate.port,
      imds: imds.endpoint,
    };
  },
  async restart(mode: ShutdownMode) {
    await rds.restart({ mode });
  },
  async kill() {
    await rds.kill();
  },
  async start() {
    await rds.start();
  },
  /** Terminates up to `count` sessions of an application, as an operator would; returns how many were terminated. */
  async killBackends(application: string, count: number) {
    const { rowCount } = await postgres.query(
      `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
        where application_name = $1 order by random() limit $2) chosen`,
      [application, count],
    );
    return rowCount ?? 0;
  },
  /** The number of sessions of an application. */
  sessions: (application: string) => sessionsOf(postgres, application),
  /** Creates the table whose rows are counted at the end. */
  async prepare() {
    await postgres.query(
      `create table if not exists written (id int not null); grant all on written to ${rds.user}`,
      [],
      rds.database,
    );
  },
  /** The ids in a range that are in the table, each with its count. */
  async written(from: number, to: number) {
    const { rows } = await postgres.query<{ id: number; n: number }>(
      'select id, count(*)::int as n from written where id >= $1 and id < $2 group by id',
      [from, to],
      rds.database,
    );
    return rows.map(({ id, n }) => [id, n] as const);
  },
  disturb(controls: Partial<ProxyControls>, way?: Way) {
    for (const proxy of chosen(way)) proxy.set(controls);
  },
  resetLinks(way?: Way) {
    for (const proxy of chosen(way)) proxy.resetAll();
  },
  forgetLinks(way?: Way) {
    for (const proxy of chosen(way)) proxy.forgetOpen();
  },
  async pauseProxy(way?: Way) {
    for (const proxy of chosen(way)) await proxy.pause();
  },
  async resumeProxy(way?: Way) {
    for (const proxy of chosen(way)) await proxy.listen();
  },
  gate(controls: Partial<Pick<GateControls, 'delayMs' | 'rejectTokens' | 'fatal'>>) {
    for (const one of [rds.gate, secondGate]) one.set(controls);
  },
  gateWorks() {
    // JSON cannot carry undefined.
    for (const one of [rds.gate, secondGate]) one.set({ fatal: undefined });
  },
  /** Stops accepting the credentials in use; the metadata service has others. */
  revokeCredentials() {
    for (const id of issued.splice(0)) rds.credentials.remove(id);
    imds.setCredentialsLifetime(CREDENTIALS_LIFETIME_MS);
  },
  metadata(fault: { hang?: boolean; status?: number; delayMs?: number }) {
    imds.set(fault);
  },
  /** The number of connections that the client has not closed. */
  openLinks() {
    return proxies.reduce((sum, { open }) => sum + open, 0);
  },
  /** Restarts the server and records the most concurrent logins, until `stormPeak`. */
  async storm() {
    stormGate.pause();
    stormGate.dropConnections();
    await postgres.restart();
    stormGate.set({ delayMs: STORM_LOGIN_MS });
    const before = stormGate.stats();
    stormPeak = 0;
    sampler = setInterval(() => {
      const { connections, tokensAccepted, tokensRejected } = stormGate.stats();
      const begun = connections - before.connections;
      const done = tokensAccepted + tokensRejected - before.tokensAccepted - before.tokensRejected;
      stormPeak = Math.max(stormPeak, begun - done);
    }, 1);
    await stormGate.resume();
  },
  stormPeak() {
    clearInterval(sampler);
    stormGate.set({ delayMs: 0 });
    return stormPeak;
  },
};
let sampler: NodeJS.Timeout | undefined;
let stormPeak = 0;

/** One of the two paths to the server. */
export type Way = 0 | 1;

/** One path, or both; between processes undefined becomes null. */
function chosen(way: Way | null | undefined): readonly Proxy[] {
  return typeof way === 'number' ? [proxies[way]] : proxies;
}

/** The commands that the load's process can send. */
export type Commands = typeof commands;

interface Request {
  readonly id: number;
  readonly name: keyof Commands;
  readonly args: readonly unknown[];
}

process.on('message', ({ id, name, args }: Request) => {
  const run = commands[name] as (...given: readonly unknown[]) => unknown;
  void Promise.resolve()
    .then(() => run(...args))
    .then(
      (value) => process.send?.({ id, value }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    );
});
process.on('disconnect', () => void stop());
// Ctrl-C reaches the terminal's whole process group; ignore it, because the load ends first and disconnects.
process.on('SIGINT', () => undefined);
process.send?.({ ready: true });

async function stop(): Promise<void> {
  stormGate.close();
  secondGate.close();
  for (const proxy of proxies) await proxy.close();
  await imds.stop();
  await rds.stop();
}
