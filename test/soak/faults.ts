import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { InstrumentedPool } from '../../src/index.js';
import type { ProxyControls } from '../support/proxy-link.js';
import type { Way } from './server.js';
import type { ServerProcess } from './server-process.js';

/** What a fault may disturb. */
export interface Scene {
  readonly server: ServerProcess;
  readonly pool: InstrumentedPool;
  readonly application: string;
  /** How many hosts the pool has: one or two. */
  readonly hosts: number;
  /** Whether its queries share connections; if so, the pool sets no time limit on them. */
  readonly pipelining: boolean;
}

/** One disturbance: how long it lasts, the calm after it, and a number in [0, 1) that varies it. */
export interface Fault {
  readonly kind: keyof typeof ALL;
  readonly lastsMs: number;
  readonly calmMs: number;
  readonly vary: number;
}

type Inject = (scene: Scene, fault: Fault) => Promise<void>;

/** Disturbs the traffic for as long as the fault lasts. */
function traffic(controls: (vary: number) => Partial<ProxyControls>, way?: Way): Inject {
  return async ({ server }, { lastsMs, vary }) => {
    await server.ask('disturb', controls(vary), way);
    await sleep(lastsMs);
    await server.ask('disturb', { ...UNDISTURBED }, way);
  };
}

/** Swallows all traffic for as long as the fault lasts. */
function blackHole(way?: Way): Inject {
  const swallow = traffic(() => ({ blackHole: true }), way);
  return async (scene, fault) => {
    await swallow(scene, fault);
    await endDead(scene, way);
  };
}

/** Makes the open connections go dead; new ones are served. */
function goneDead(way?: Way): Inject {
  return async (scene, { lastsMs }) => {
    await scene.server.ask('forgetLinks', way);
    if (scene.pipelining) await sleep(lastsMs);
    await endDead(scene, way);
  };
}

/**
 * If no limit ends the queries, resets connections whose answers may never arrive, as TCP keep-alive would eventually.
 */
async function endDead({ server, pipelining }: Scene, way?: Way): Promise<void> {
  if (pipelining) await server.ask('resetLinks', way);
}

/** Refuses connections for as long as the fault lasts. */
function closed(way?: Way): Inject {
  return async ({ server }, { lastsMs }) => {
    await server.ask('pauseProxy', way);
    await server.ask('resetLinks', way);
    await sleep(lastsMs);
    await server.ask('resumeProxy', way);
  };
}

// Infinity cannot be sent between processes.
const UNDISTURBED = {
  delayMs: 0,
  chunkBytes: Number.MAX_SAFE_INTEGER,
  blackHole: false,
  refuse: false,
  cutAfterBytes: Number.MAX_SAFE_INTEGER,
};

/** Changes the gate's behaviour for as long as the fault lasts, for the open connections or for new ones. */
function gate(controls: {
  delayMs?: number;
  rejectTokens?: boolean;
  fatal?: { code: string; message: string };
}): Inject {
  return async ({ server }, { lastsMs, vary }) => {
    await server.ask('gate', controls);
    if (vary < 0.5) await server.ask('resetLinks');
    await sleep(lastsMs);
    await server.ask('gate', { delayMs: 0, rejectTokens: false });
    await server.ask('gateWorks');
  };
}

/** Revokes the credentials in use while the metadata service, which has new ones, is disturbed. */
function credentials(fault: { hang?: boolean; status?: number; delayMs?: number }): Inject {
  return async ({ server }, { lastsMs }) => {
    await server.ask('metadata', fault);
    await server.ask('revokeCredentials');
    await server.ask('resetLinks');
    await sleep(lastsMs);
    await server.ask('metadata', {});
  };
}

/** The faults that are injected whatever the number of hosts, by their names in the report. */
const FAULTS = {
  'server restart, fast': ({ server }) => server.ask('restart', 'fast'),
  'server restart, immediate': ({ server }) => server.ask('restart', 'immediate'),
  'server killed': async ({ server }, { lastsMs }) => {
    await server.ask('kill');
    await sleep(lastsMs);
    await server.ask('start');
  },
  'sessions terminated': async ({ server, application }, { vary }) => {
    await server.ask('killBackends', application, 1 + Math.floor(vary * 8));
  },
  'connections reset': async ({ server }) => server.ask('resetLinks'),
  'connections gone dead': goneDead(),
  'black hole': blackHole(),
  'cut in a message': traffic((vary) => ({ cutAfterBytes: Math.round(1_000 + vary * 30_000) })),
  'slow link': traffic((vary) => ({ delayMs: 5 + vary * 60 })),
  'throttled link': traffic((vary) => ({ chunkBytes: Math.ceil(20 + vary * 100), delayMs: 0.2 })),
  'connections refused by the proxy': traffic(() => ({ refuse: true })),
  'nothing listens': closed(),
  'server starting up (57P03)': gate({
    fatal: { code: '57P03', message: 'the database system is starting up' },
  }),
  'server full (53300)': gate({ fatal: { code: '53300', message: 'sorry, too many clients already' } }),
  'slow logins': gate({ delayMs: 400 }),
  'tokens rejected': gate({ rejectTokens: true }),
  'credentials revoked': credentials({}),
  'credentials revoked, metadata service hangs': credentials({ hang: true }),
  'credentials revoked, metadata service fails': credentials({ status: 500 }),
  'credentials revoked, metadata service slow': credentials({ delayMs: 700 }),
  'reset()': ({ pool }) => {
    pool.reset();
    return Promise.resolve();
  },
} satisfies Record<string, Inject>;

/** The faults of one of two hosts, while the other one works. */
const HOST_FAULTS = {
  'first host a black hole': blackHole(0),
  'first host closed': closed(0),
  'second host a black hole': blackHole(1),
  'second host closed': closed(1),
  'connections to the first host reset': async ({ server }) => server.ask('resetLinks', 0),
  'connections to the first host gone dead': goneDead(0),
} satisfies Record<string, Inject>;

const ALL = { ...FAULTS, ...HOST_FAULTS };

/** Injects a fault, and ends it. */
export async function inject(scene: Scene, fault: Fault): Promise<void> {
  await ALL[fault.kind](scene, fault);
}

// Less frequent than the rest: a revoked key is looked up again at most once in 10 s, so each is a long outage.
const weightOf = (kind: string): number => (kind.startsWith('credentials') ? 1 : 3);

const faultOf = (kinds: readonly Fault['kind'][]): fc.Arbitrary<Fault> =>
  fc.record({
    kind: fc.oneof(...kinds.map((kind) => ({ weight: weightOf(kind), arbitrary: fc.constant(kind) }))),
    lastsMs: fc.integer({ min: 100, max: 2_500 }),
    calmMs: fc.integer({ min: 300, max: 2_500 }),
    vary: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  });

/** The faults of a run: every kind once, in random order but those of single hosts first, and then random kinds. */
export function faultPlan(seed: number, count: number, hosts: number): Fault[] {
  const ofHosts = hosts > 1 ? (Object.keys(HOST_FAULTS) as Fault['kind'][]) : [];
  const kinds = Object.keys(FAULTS) as Fault['kind'][];
  const any = fc.sample(faultOf([...kinds, ...ofHosts]), { seed, numRuns: count });
  const [order = kinds] = fc.sample(fc.shuffledSubarray(kinds, { minLength: kinds.length }), {
    seed,
    numRuns: 1,
  });
  return any.map((one, at) => ({ ...one, kind: [...ofHosts, ...order][at] ?? one.kind }));
}
