import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ATTR, METRIC } from '../../../src/telemetry/names.js';
import { useProxy } from '../../support/proxy.js';
import { usePostgres } from '../../support/servers.js';
import { meterSdk } from '../../support/telemetry.js';
import { closedPort, PlayedScene, type Stage } from './scene.js';
import { AFTER_ERRORS, ALIVE, type State } from './states.js';
import { CLOSED, ENDED } from './states-closed.js';
import { Exported, expectAges, expectTruth } from './truth.js';

/** Every state, each reached from a separate pool with at most two connections. */
const STATES: readonly State[] = [...ALIVE, ...AFTER_ERRORS, ...CLOSED, ...ENDED];

const server = usePostgres();
const proxy = useProxy(server);
let unused: number;
beforeAll(async () => {
  unused = await closedPort();
  await server().query('create database neighbour');
});

const scenes: PlayedScene[] = [];
afterEach(async () => {
  proxy().clear();
  await Promise.all(scenes.splice(0).map((scene) => scene.end()));
});

type Sdk = ReturnType<typeof meterSdk>;

async function play(state: State, sdk: Sdk, database?: string): Promise<PlayedScene> {
  const stage: Stage = {
    server: server(),
    proxy: proxy(),
    closedPort: unused,
    meterProvider: sdk.meterProvider,
  };
  const scene = await PlayedScene.play(state, stage, database === undefined ? {} : { database });
  scenes.push(scene);
  return scene;
}

/** Collects once, and compares the exported numbers of each pool with the truth. */
async function expectTrue(sdk: Sdk, ...played: PlayedScene[]): Promise<void> {
  const atLeast = played.map(({ sinceReachedMs }) => sinceReachedMs);
  const exported = await Exported.collect(
    sdk,
    played.map(({ poolName }) => poolName),
  );
  for (const [i, scene] of played.entries()) {
    const ofPool = exported[i] as Exported;
    expectTruth(ofPool, scene.truth, scene.pool, scene.events);
    expectAges(ofPool, scene.truth, { atLeastMs: atLeast[i] as number, atMostMs: scene.sinceMadeMs });
  }
}

describe('one pool exports its true state', () => {
  test.each(STATES)('$name', async (state) => {
    const sdk = meterSdk();
    await expectTrue(sdk, await play(state, sdk));
  });
});

test('a connection that is being pinged counts as used, and its acquire as pending', async () => {
  const sdk = meterSdk();
  const state: State = {
    name: 'pinged',
    through: 'proxy',
    reach: async ({ pool, leave }) => {
      await pool.query('select 1');
      // Idle for long enough to be pinged, and the ping is not answered for a second.
      await sleep(1_100);
      proxy().set({ blackHole: true });
      leave(pool.connect());
    },
    truth: {
      ...{ limit: 2, used: 1, pending: 1, acquires: { ok: 1 }, attempts: { ok: 1 } },
      ...{ empty: 1, uses: 1, sessions: 1 },
    },
  };
  const scene = await play(state, sdk);
  const [exported] = await Exported.collect(sdk, [scene.poolName]);
  expectTruth(exported as Exported, scene.truth, scene.pool, scene.events);
  // The connection is not checked out.
  expect(exported?.value(METRIC.longestUse)).toBe(0);
});

describe('two pools each export their true state', () => {
  const pairs = STATES.map((state, i) => [state, STATES[(i + 1) % STATES.length] as State] as const);

  test.each(pairs.map(([first, second]) => ({ title: `${first.name} | ${second.name}`, first, second })))(
    '$title',
    async ({ first, second }) => {
      const sdk = meterSdk();
      const one = await play(first, sdk);
      const other = await play(second, sdk, 'neighbour');
      expect(other.poolName).not.toBe(one.poolName);
      await expectTrue(sdk, one, other);
    },
  );
});

describe('two pools of the same config each export their true state', () => {
  const endsIn = ({ truth }: State): boolean => truth.limit === 0;

  test.each(STATES.filter((state) => !endsIn(state)))('$name', async (state) => {
    const sdk = meterSdk();
    const one = await play(state, sdk);
    const other = await play(state, sdk);
    expect(other.poolName).toBe(`${one.poolName}#2`);
    await expectTrue(sdk, one, other);
  });

  test.each(STATES.filter(endsIn))('$name, while the other is used', async (state) => {
    const sdk = meterSdk();
    const one = await play(stateOf('used'), sdk);
    const other = await play(state, sdk);
    expect(other.poolName).toBe(`${one.poolName}#2`);
    await expectTrue(sdk, one, other);
  });

  test('also when they are in different states', async () => {
    const sdk = meterSdk();
    const used = await play(stateOf('used'), sdk);
    const idle = await play(stateOf('idle'), sdk);
    const both = await play(stateOf('one used, one idle'), sdk);
    expect([idle.poolName, both.poolName]).toEqual([`${used.poolName}#2`, `${used.poolName}#3`]);
    await expectTrue(sdk, used, idle, both);
  });
});

describe('the name of a pool that has ended', () => {
  test("passes to its successor, and only the successor's numbers are exported", async () => {
    const sdk = meterSdk();
    const ended = await play(stateOf('ended with an idle connection'), sdk);
    await expectTrue(sdk, ended);
    const successor = await play(stateOf('used'), sdk);
    expect(successor.poolName).toBe(ended.poolName);
    const [exported] = await Exported.collect(sdk, [successor.poolName]);
    expect(exported?.values(METRIC.connectionCount, ATTR.connectionState)).toEqual({
      used: 2,
      idle: 0,
      connecting: 0,
    });
    expect(exported?.value(METRIC.connectionLimit)).toBe(2);
    expect(exported?.value(METRIC.poolInfo)).toBe(1);
    expect(exported?.value(METRIC.connectionOpened)).toBe(2);
  });

  test('keeps its zeros and its final counts in every later collection', async () => {
    const sdk = meterSdk();
    const ended = await play(stateOf('ended with an idle connection'), sdk);
    for (let n = 0; n < 3; n++) await expectTrue(sdk, ended);
  });
});

function stateOf(name: string): State {
  const state = STATES.find((candidate) => candidate.name === name);
  if (state === undefined) throw new Error(`no state is called ${name}`);
  return state;
}
