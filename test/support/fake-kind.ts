import { Engine } from '../../src/engine/engine.js';
import type {
  EngineLimits,
  EngineListener,
  EngineReason,
  Reached,
  ResourceKind,
} from '../../src/engine/kind.js';
import type { Slot, SlotState } from '../../src/engine/slot.js';
import type { WaitReason } from '../../src/engine/wait-queue.js';

const nothing = (): void => undefined;

/** A resource whose every answer is decided by the test. */
export class Resource {
  verdict: 'ready' | 'settling' | 'tx_open' | 'busy' = 'ready';
  alive = true;
  parked = false;
  destroyed = false;
  destroyedFor: string | undefined;
  onSettled: (() => void) | undefined;
  answerPing: (() => void) | undefined;
  slot: Slot<Resource> | undefined;
  /** The parts of a connection that sharing reads. */
  sharing = false;
  readonly lostWith: unknown = undefined;
  readonly client = {
    pipeline: false,
    connection: { prependListener: nothing, stream: { cork: nothing, uncork: nothing } },
  };
  constructor(readonly id: number) {}
}

export interface Construction {
  readonly cause: string | undefined;
  succeed(): Resource;
  fail(error: Error, reached?: Reached): void;
}

type Reason = 'tx_open' | 'busy';

/** Records the engine's calls and events; constructions and pings complete when the test decides. */
export class FakeKind implements ResourceKind<Resource, string, Reason>, EngineListener<Resource, Reason> {
  readonly resources: Resource[] = [];
  readonly constructions: Construction[] = [];
  aborted = 0;
  /** Called when the engine reports progress towards its end. */
  onProgress: (() => void) | undefined;
  resumedCount = 0;
  readonly outages: { error: unknown; at: number; lastedMs: number | undefined }[] = [];
  /** Whether pings are answered at once, with `alive`. */
  instantPings = true;

  create(
    cause: string | undefined,
    done: (error: unknown, resource?: Resource, reached?: Reached) => void,
  ): { abort(): void } {
    const end = (): void => void this.constructions.splice(this.constructions.indexOf(construction), 1);
    const construction: Construction = {
      cause,
      succeed: () => {
        end();
        const resource = new Resource(this.resources.length + 1);
        this.resources.push(resource);
        done(undefined, resource);
        return resource;
      },
      fail: (error, reached) => {
        end();
        done(error, undefined, reached);
      },
    };
    this.constructions.push(construction);
    return {
      abort: () => {
        this.aborted += 1;
        construction.fail(new Error('given up'));
      },
    };
  }
  judge(resource: Resource): 'ready' | 'settling' | 'tx_open' | 'busy' {
    return resource.verdict;
  }
  whenSettled(resource: Resource, done: () => void): void {
    resource.onSettled = done;
  }

  ping(resource: Resource, done: (alive: boolean) => void): void {
    const answer = (): void => {
      resource.answerPing = undefined;
      done(resource.alive);
    };
    if (this.instantPings) queueMicrotask(answer);
    else resource.answerPing = answer;
  }
  park(resource: Resource): void {
    resource.parked = true;
  }
  unpark(resource: Resource): void {
    resource.parked = false;
  }
  destroy(resource: Resource): void {
    if (resource.destroyed) throw new Error(`resource ${resource.id} destroyed twice`);
    resource.destroyed = true;
  }
  destroyed({ resource }: Slot<Resource>, _from: SlotState, reason: EngineReason | Reason): void {
    resource.destroyedFor = reason;
  }
  constructed(): void {
    // There is no minimum to maintain here.
  }
  placed(slot: Slot<Resource>): void {
    slot.resource.slot = slot;
  }
  freed(): void {
    this.onProgress?.();
  }
  drained(): void {
    this.onProgress?.();
  }
  resumed(): void {
    this.resumedCount += 1;
  }
  unreachable(error: unknown): void {
    this.outages.push({ error, at: performance.now(), lastedMs: undefined });
  }
  reachable(lastedMs: number): void {
    const outage = this.outages.at(-1);
    if (outage?.lastedMs !== undefined || outage === undefined) throw new Error('no outage is under way');
    outage.lastedMs = lastedMs;
  }
}

export type Outcome = { slot: Slot<Resource>; waitMs: number } | { error: unknown; waitMs: number };

/** Gives acquirers resources that other acquirers use already. */
export interface Shares {
  /** A resource for an acquirer that arrives now, if it is to share one. */
  pick(): Slot<Resource> | undefined;
  /** Called when the acquirer has been given a resource, exclusively or shared. */
  served(acquirer: Acquirer, slot: Slot<Resource>): void;
}

/** One acquire, as made by the pool above the engine. */
export class Acquirer {
  reason: WaitReason | undefined;
  outcome: Outcome | undefined;
  settledTimes = 0;
  readonly startedAt = performance.now();
  cancel: (error: unknown) => void = () => undefined;

  constructor(
    engine: Engine<Resource, string, 'tx_open' | 'busy'>,
    readonly name: string,
    timeoutMs = 0,
    readonly shares?: Shares,
  ) {
    const now = this.startedAt;
    const slot = shares?.pick() ?? engine.tryAcquire(now);
    if (slot !== undefined) {
      this.#settle({ slot, waitMs: 0 });
      return;
    }
    if (engine.refuses(now)) {
      this.#settle({ error: new Error('busy'), waitMs: 0 });
      return;
    }
    const waiter = engine.wait(
      {
        cause: name,
        shares: shares && { name: undefined },
        waiting: (reason) => {
          if (this.reason !== undefined) throw new Error(`${name} is told its reason twice`);
          this.reason = reason;
        },
        served: (served, waitMs) => this.#settle({ slot: served, waitMs }),
        rejected: (error, waitMs) => this.#settle({ error, waitMs }),
        timeoutError: () => new Error('timeout'),
      },
      now,
      timeoutMs,
    );
    this.cancel = (error) => engine.cancel(waiter, error);
  }

  get slot(): Slot<Resource> {
    if (this.outcome === undefined || !('slot' in this.outcome))
      throw new Error(`${this.name} holds nothing`);
    return this.outcome.slot;
  }
  get error(): unknown {
    return this.outcome !== undefined && 'error' in this.outcome ? this.outcome.error : undefined;
  }

  #settle(outcome: Outcome): void {
    this.settledTimes += 1;
    if (this.settledTimes > 1) throw new Error(`${this.name} settled twice`);
    this.outcome = outcome;
    if ('slot' in outcome) this.shares?.served(this, outcome.slot);
  }
}

export const LIMITS: EngineLimits = {
  max: 2,
  maxConnecting: 2,
  retryMs: 0,
  maxPending: Infinity,
  lifetimeMs: 0,
  lifetimeJitterMs: 0,
  maxUses: Infinity,
  pingAfterMs: 1_000,
  settleMs: 1_000,
  acquireTimeoutMs: 0,
  startDeadline: (ms, expired) => {
    const timer = setTimeout(() => expired(performance.now()), ms);
    return { clear: () => clearTimeout(timer), keepAlive: () => undefined };
  },
};

export function makeEngine(limits: Partial<EngineLimits> = {}): {
  kind: FakeKind;
  engine: Engine<Resource, string, 'tx_open' | 'busy'>;
} {
  const kind = new FakeKind();
  return { kind, engine: new Engine(kind, kind, { ...LIMITS, ...limits }) };
}
