import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/until.js';
import { Cluster, NAME } from './cluster/cluster.js';
import type { Node } from './cluster/node.js';
import { USERS } from './cluster/patroni-config.js';
import { Contender, CONTENDERS } from './contender.js';
import { FAULTS, type FaultName } from './faults.js';
import { compareWrites, measure, type Cost, type FaultTimes } from './measure.js';
import { buildPgxpool } from './pgxpool.js';

const LED_WITHIN_MS = 90_000;
const WRITES_WITHIN_MS = 90_000;
const CALM_MS = 3_000;

/** The cost of all faults for a contender. */
export interface Outcome {
  readonly id: string;
  readonly costs: readonly { readonly fault: FaultName; readonly cost: Cost }[];
  readonly writes: ReturnType<typeof compareWrites>;
  readonly totals: Readonly<Record<string, number>>;
}

/** Injects these faults one after the other into a cluster under the load of every contender. */
export async function run(faults: readonly FaultName[], tell: (line: string) => void): Promise<Outcome[]> {
  const pgxpool = await buildPgxpool();
  await using cluster = await Cluster.start();
  tell('the cluster stands');
  const leader = await prepare(cluster);
  const [caFile, addressFile] = [join(cluster.folder, 'ca.crt'), join(cluster.folder, 'address')];
  await writeFile(caFile, cluster.caPem);
  // Replace the file atomically: a look-up must not read half an address.
  const lead = async (node: Node): Promise<void> => {
    await writeFile(`${addressFile}.new`, node.host);
    await rename(`${addressFile}.new`, addressFile);
  };
  await lead(leader);
  const hosts = cluster.nodes.map(({ host }) => host);
  const { port, haproxyPort } = cluster;
  const { username: user, password } = USERS.app;
  const place = { hosts, port, haproxyPort, name: NAME, addressFile, user, password, caFile };
  const contenders = CONTENDERS.map((spec) => new Contender(spec, place, pgxpool));
  await allWrite(contenders, Date.now());

  const times: { fault: FaultName; times: FaultTimes }[] = [];
  for (const fault of faults) {
    const { from, to, ...found } = await inject(cluster, contenders, fault, lead);
    times.push({ fault, times: found });
    const firsts = contenders.map(({ id, events }) => `${id} ${measure(events, found).firstWriteMs}`);
    const led = `${to.name} led after ${found.ledAt - found.beganAt} ms`;
    tell(`${fault} of ${from.name}: ${led}; first writes after (ms) ${firsts.join(', ')}`);
  }

  const outcomes: Outcome[] = [];
  const last = await cluster.whole();
  tell(`the rows are read from ${last.name}`);
  for (const contender of contenders) {
    const totals = await contender.stop();
    const costs = times.map((one) => ({ fault: one.fault, cost: measure(contender.events, one.times) }));
    const writes = compareWrites(contender.events, await rowsOf(cluster, last, contender.id));
    outcomes.push({ id: contender.id, costs, writes, totals });
  }
  return outcomes;
}

async function prepare(cluster: Cluster): Promise<Node> {
  const leader = await cluster.whole();
  const { username, password } = USERS.app;
  await cluster.query(leader, `create role ${username} login password '${password}'`);
  // No primary key: a write that is sent twice must be visible.
  await cluster.query(leader, 'create table written (contender text not null, id int not null)');
  await cluster.query(leader, `grant select, insert on written to ${username}`);
  return leader;
}

async function inject(
  cluster: Cluster,
  contenders: readonly Contender[],
  name: FaultName,
  lead: (node: Node) => Promise<void>,
): Promise<FaultTimes & { readonly from: Node; readonly to: Node }> {
  await cluster.whole();
  await sleep(CALM_MS);
  // A standby may have been lost meanwhile: with another fault, any pool would lose the writes since then.
  const leader = await cluster.whole();
  const fault = FAULTS[name];
  const beganAt = Date.now();
  const begun = fault.begin(cluster, leader);
  let away = false as boolean;
  // The leader is another node, or the same one after it was away.
  const leads = async (): Promise<Node | undefined> => {
    const named = await cluster.leader();
    // Patroni keeps naming a leader whose PostgreSQL it is about to restart.
    const found = named && (await cluster.takesWrites(named)) ? named : undefined;
    away ||= found !== leader;
    return away ? found : undefined;
  };
  const next = await until('a node leads', leads, LED_WITHIN_MS, 50);
  const ledAt = Date.now();
  await lead(next);
  await begun;
  await allWrite(contenders, ledAt);
  await sleep(CALM_MS);
  const overAt = Date.now();
  await fault.end(leader);
  return { beganAt, ledAt, overAt, from: leader, to: next };
}

async function allWrite(contenders: readonly Contender[], since: number): Promise<void> {
  const waiting = (): string[] =>
    contenders.flatMap((contender) => {
      contender.check();
      return contender.wroteSince(since) ? [] : [contender.id];
    });
  await until('every contender writes', () => waiting().length === 0, WRITES_WITHIN_MS, 50).catch(
    (error: unknown) => {
      throw new Error(`no write of ${waiting().join(', ')}`, { cause: error });
    },
  );
}

async function rowsOf(cluster: Cluster, leader: Node, contender: string): Promise<Map<number, number>> {
  const sql = 'select id, count(*)::int as n from written where contender = $1 group by id';
  const rows = await cluster.query(leader, sql, [contender]);
  return new Map(rows.map(({ id, n }) => [id as number, n as number]));
}
