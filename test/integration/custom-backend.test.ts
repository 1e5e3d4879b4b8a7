// A backend as an application writes it: only with the package's exports, in one file, next to the service it uses.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newAuthToken, type DynamicAuthCustom, type IssuedLogin } from '../../src/index.js';
import { createRotatingRole, type RotatingRole } from '../support/auth/role.js';
import { useCleanEnvironment } from '../support/environment.js';
import { useIamPools } from '../support/iam.js';
import { iamConfig } from '../support/rds-configs.js';
import { useLocalRds } from '../support/servers.js';
import { expectSilent } from '../support/silence.js';
import { cleanUp, meterSdk, tracerSdk, useContextManager } from '../support/telemetry.js';
import { rejection, until } from '../support/until.js';

const API_KEY = 'canary-of-the-api-key';
const HINT = 'ask the broker whether the role of this service still exists';

/** The broker's answer. */
interface Lease {
  readonly role: string;
  readonly secret: string;
  readonly endsInMs: number;
}

/** Logs in with the leases of a company's broker. */
class BrokerLogin implements DynamicAuthCustom {
  readonly name = 'broker';
  readonly hint = HINT;
  /** Cumulative: logins that the server rejected. */
  rejections = 0;
  readonly #url: string;
  readonly #apiKey: string;

  constructor(url: string, apiKey: string) {
    this.#url = url;
    this.#apiKey = apiKey;
  }

  async issue(
    { host }: { readonly host: string },
    { signal }: { signal: AbortSignal },
  ): Promise<IssuedLogin> {
    const askedAt = Date.now();
    const headers = { authorization: `Bearer ${this.#apiKey}` };
    const response = await fetch(`${this.#url}/leases?host=${host}`, { headers, signal });
    if (!response.ok) throw new Error(`the broker answered HTTP ${response.status}`);
    const { role, secret, endsInMs } = (await response.json()) as Lease;
    return { user: role, password: secret, expiresAt: new Date(askedAt + endsInMs) };
  }

  rejected(): void {
    this.rejections += 1;
  }
}

/** The broker: it leases two roles in turn, so that each lease ends the one before the last. */
class Broker {
  leaseMs = 3_600_000;
  healthy = true;
  /** Cumulative: leases given. */
  leases = 0;
  readonly #roles: readonly RotatingRole[];
  readonly #server: Server;

  constructor(roles: readonly RotatingRole[]) {
    this.#roles = roles;
    this.#server = createServer(({ url, headers }, response) => {
      const allowed = headers.authorization === `Bearer ${API_KEY}` && url?.startsWith('/leases?host=');
      if (!allowed || !this.healthy) response.writeHead(allowed ? 503 : 403).end();
      else void this.#lease().then((lease) => response.end(JSON.stringify(lease)));
    });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Ends all leases at once. */
  async revoke(): Promise<void> {
    for (const role of this.#roles) await role.rotate();
  }

  async #lease(): Promise<Lease> {
    const role = this.#roles[this.leases++ % this.#roles.length] as RotatingRole;
    await role.rotate();
    return { role: role.user, secret: role.password, endsInMs: this.leaseMs };
  }
}

const rds = useLocalRds();
useCleanEnvironment();
const makePool = useIamPools(rds);

let roles: RotatingRole[];
let broker: Broker;
let custom: BrokerLogin;
beforeEach(async () => {
  roles = [await createRotatingRole(rds()), await createRotatingRole(rds())];
  broker = new Broker(roles);
  custom = new BrokerLogin(await broker.start(), API_KEY);
});
afterEach(() => {
  broker.stop();
  cleanUp();
});

/** Connections that last for two queries each, so that logins continue. */
const makeBusyPool = (options = {}) =>
  makePool({ user: 'replaced', dynamicAuth: { custom }, maxOpenConns: 4 }, { maxUses: 2, ...options });

describe("an application's own backend", () => {
  test('logs in with a series of leases that expire, and no query fails', async () => {
    broker.leaseMs = 2_000;
    const pool = await makeBusyPool();
    const users = new Set<unknown>();
    let over = false as boolean;
    const worker = async (): Promise<void> => {
      while (!over) users.add((await pool.query<{ who: string }>('select current_user as who')).rows[0]?.who);
    };
    const load = [worker(), worker(), worker(), worker()];
    await until('four leases', () => broker.leases >= 4);
    over = true;
    await Promise.all(load);
    expect(users).toEqual(new Set(roles.map(({ user }) => user)));
    expect(pool.log.named('postgres connect failed')).toEqual([]);
    expect(custom.rejections).toBe(0);
    expect(pool.stat().newConnsCount).toBeGreaterThan(broker.leases);
  });

  test('is notified of a rejected login, and the next attempt asks it for a new password', async () => {
    const pool = await makeBusyPool({ maxUses: 1 });
    await pool.query('select 1');
    await broker.revoke();
    expect(await rejection(pool.query('select 1'))).toMatchObject({ code: '28P01' });
    expect(custom.rejections).toBe(1);
    expect(pool.log.named('postgres connect failed')[0]?.fields).toMatchObject({ hint: HINT, phase: 'auth' });
    await pool.query('select 1');
    expect(broker.leases).toBe(2);
  });

  test('is named in the error while its service is down, no connection is dialled, and the next attempt works', async () => {
    const pool = await makeBusyPool();
    broker.healthy = false;
    const { connections } = rds().gate.stats();
    expect(await rejection(pool.query('select 1'))).toMatchObject({
      name: 'AuthError',
      message: 'dynamic auth (broker): failed to issue a password: the broker answered HTTP 503',
    });
    expect(rds().gate.stats().connections).toBe(connections);
    broker.healthy = true;
    await pool.query('select 1');
  });

  test('has its name on every metric and span of its logins, and none of them contains a secret', async () => {
    useContextManager();
    const [meter, tracer] = [meterSdk(), tracerSdk()];
    const { meterProvider, points, value } = meter;
    const { tracerProvider } = tracer;
    const pool = await makeBusyPool({ meterProvider, tracerProvider, acquireSpan: 'always' });
    await pool.query('select 1');
    const named = { 'pgauge.auth.provider.name': 'broker' };
    expect(await value('pgauge.pool.info', named)).toBe(1);
    expect(await value('pgauge.auth.token.refresh.duration', named)).toMatchObject({ count: 1 });
    expect(await value('pgauge.auth.credentials.fetch.duration', named)).toMatchObject({ count: 1 });
    const [expiration] = await points('pgauge.auth.credentials.expiration');
    expect(expiration?.attributes).toMatchObject(named);
    expect(expiration?.value).toBeGreaterThan(Date.now() / 1_000);
    expect(tracer.span('pgauge.auth.token.refresh').attributes).toMatchObject(named);

    const secrets = [API_KEY, ...roles.flatMap(({ passwords }) => passwords)];
    expectSilent('the pool', pool, secrets);
    await pool.end();
    const spans = tracer
      .spans()
      .map(({ name, attributes, status, events }) => ({ name, attributes, status, events }));
    expectSilent('spans', spans, secrets);
    expectSilent('metrics', await meter.collect(), secrets);
    expectSilent('logs', pool.log.records, secrets);
  });

  test('provides the password for newAuthToken, which needs no server', async () => {
    const { password } = roles[0] as RotatingRole;
    const token = await newAuthToken(iamConfig(rds(), { dynamicAuth: { custom } }), 'anyone');
    expect(token).not.toBe(password);
    expect(token).toBe(roles[0]?.password);
  });
});
