import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createCa } from '../../../local-rds/certificates.js';
import { freePorts } from '../../support/free-ports.js';
import { until } from '../../support/until.js';
import { startEtcd } from './etcd.js';
import { startHaproxy } from './haproxy.js';
import { Node } from './node.js';
import { USERS } from './patroni-config.js';
import { findTools, own } from './tools.js';

/** The name that always resolves to the leader, once its address has changed. */
export const NAME = 'primary.failover.test';
const HOSTS = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];
/** How long the cluster may take to start, or to recover fully, in milliseconds. */
const WHOLE_WITHIN_MS = 180_000;

interface Member {
  readonly name: string;
  readonly role: string;
  readonly state: string;
}

/** Three nodes with Patroni, their etcd, and an HAProxy in front of them. */
export class Cluster implements AsyncDisposable {
  /** The PostgreSQL port of every node, also used with the name. */
  readonly port: number;
  readonly haproxyPort: number;
  readonly caPem: string;
  /** A folder that is removed when the cluster ends. */
  readonly folder: string;
  readonly nodes: readonly Node[];
  readonly #cleanUp: readonly (() => Promise<void>)[];

  /** @internal */
  constructor(
    parts: Pick<Cluster, 'port' | 'haproxyPort' | 'caPem' | 'folder' | 'nodes'>,
    cleanUp: readonly (() => Promise<void>)[],
  ) {
    this.port = parts.port;
    this.haproxyPort = parts.haproxyPort;
    this.caPem = parts.caPem;
    this.folder = parts.folder;
    this.nodes = parts.nodes;
    this.#cleanUp = cleanUp;
  }

  /** Starts the cluster, and resolves once a leader has a synchronous standby and another standby. */
  static async start(): Promise<Cluster> {
    const cleanUp: (() => Promise<void>)[] = [];
    try {
      const cluster = await create(cleanUp);
      await cluster.whole().catch((error: unknown) => {
        throw new Error(`the cluster did not start:\n${cluster.output}`, { cause: error });
      });
      return cluster;
    } catch (error) {
      await endAll(cleanUp);
      throw error;
    }
  }

  /** The end of each Patroni's output. */
  get output(): string {
    return this.nodes.map(({ name, output }) => `${name}: ${output.slice(-2_000)}`).join('\n');
  }

  /** The current leader, as reported by its own Patroni; undefined while there is none. */
  async leader(): Promise<Node | undefined> {
    return (await this.#leaders()).at(0);
  }

  /** Whether the node's PostgreSQL answers and is not a standby. */
  async takesWrites(node: Node): Promise<boolean> {
    try {
      const [row] = await this.query(node, 'select pg_is_in_recovery() as standby');
      return row?.['standby'] === false;
    } catch {
      return false;
    }
  }

  /**
   * Resolves once a leader has two streaming standbys, one of them synchronous. Its own PostgreSQL must confirm this,
   * because Patroni's information about a node that was away may be outdated.
   */
  async whole(): Promise<Node> {
    const is = (wanted: string) => (member: Member) => member.role === wanted;
    return await until(
      'the cluster is whole',
      async () => {
        const [leader, another] = await this.#leaders();
        // A leader that was frozen does not know yet that there is another.
        if (!leader || another) return undefined;
        const members = await this.#members(leader);
        const running = members.filter(({ state }) => state === 'running' || state === 'streaming');
        const complete = running.length === HOSTS.length && running.some(is('sync_standby'));
        return complete && (await this.#replicates(leader)) ? leader : undefined;
      },
      WHOLE_WITHIN_MS,
      200,
    );
  }

  /** Makes a standby the leader in place of `leader`, as an operator does before maintenance. */
  async switchover(leader: Node): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${leader.restPort}/switchover`, {
      method: 'POST',
      body: JSON.stringify({ leader: leader.name }),
    });
    if (!response.ok) throw new Error(`the switchover failed: ${await response.text()}`);
  }

  /** Runs SQL as superuser on a node, over its unix socket instead of the network. */
  async query(node: Node, sql: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
    const { username: user, password } = USERS.superuser;
    const limits = { connectionTimeoutMillis: 1_000, query_timeout: 5_000 };
    const client = new pg.Client({
      ...node.socket,
      ...limits,
      user,
      password,
      database: 'postgres',
      ssl: false,
    });
    // The server may end the session between two messages; the query then rejects.
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#cleanUp);
  }

  async #leaders(): Promise<Node[]> {
    const claims = await Promise.all(
      this.nodes.map(async (node) => ((await asks(node, 'primary')) === undefined ? [] : [node])),
    );
    return claims.flat();
  }

  async #replicates(leader: Node): Promise<boolean> {
    const sql = `select count(*)::int as streaming, count(*) filter (where sync_state = 'sync')::int as synchronous
      from pg_stat_replication where state = 'streaming' and not pg_is_in_recovery()`;
    try {
      const [row] = await this.query(leader, sql);
      return row?.['streaming'] === HOSTS.length - 1 && row['synchronous'] === 1;
    } catch {
      return false;
    }
  }

  async #members(node: Node): Promise<Member[]> {
    const answer = await asks(node, 'cluster');
    return answer === undefined ? [] : (JSON.parse(answer) as { members: Member[] }).members;
  }
}

async function create(cleanUp: (() => Promise<void>)[]): Promise<Cluster> {
  const tools = await findTools();
  const folder = await mkdtemp(join(tmpdir(), 'pgauge-failover-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const ca = await createCa();
  const { certPem, keyPem } = await ca.issue({ dnsNames: [NAME, 'localhost'], ipAddresses: HOSTS });
  const [certFile, keyFile] = [join(folder, 'server.crt'), join(folder, 'server.key')];
  await writeFile(certFile, certPem);
  await writeFile(keyFile, keyPem, { mode: 0o600 });
  await own(keyFile, tools);

  const [etcdPort = 0, peerPort = 0, haproxyPort = 0, port = 0, ...nodePorts] = await freePorts(10);
  const etcd = await startEtcd(folder, [etcdPort, peerPort], tools);
  cleanUp.push(() => etcd.stop());
  const nodes: Node[] = [];
  for (const [n, host] of HOSTS.entries()) {
    const [postgres = 0, rest = 0] = nodePorts.slice(2 * n);
    const name = `node${n + 1}`;
    const parts = { tools, name, folder: join(folder, name), certFile, keyFile, at: { host, port } };
    const node = await Node.create({ ...parts, ports: { postgres, rest, etcd: etcdPort } });
    cleanUp.push(() => node.stop());
    nodes.push(node);
  }
  const haproxy = await startHaproxy(folder, haproxyPort, nodes, port, tools);
  cleanUp.push(() => haproxy.stop());
  return new Cluster({ port, haproxyPort, caPem: ca.certPem, folder, nodes }, cleanUp);
}

/** Ends everything in reverse order of creation. */
async function endAll(cleanUp: readonly (() => Promise<void>)[]): Promise<void> {
  for (const end of cleanUp.toReversed()) await end();
}

/** A Patroni's response body; undefined on an error status, or if there is no answer in time. */
async function asks(node: Node, path: string): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${node.restPort}/${path}`, {
      signal: AbortSignal.timeout(1_000),
    });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}
