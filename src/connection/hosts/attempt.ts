import { ConnectTimeoutError, WrongHostError } from '../../errors.js';
import { errorText, property } from '../../foreign-error.js';
import type { AttemptObserver, ConnectPhase } from '../../observer.js';
import { placeName, type Place, type TargetSessionAttrs } from '../../settings/hosts.js';
import type { ClosingSockets } from '../closing-sockets.js';
import { Dial } from '../dial.js';
import type { DialPlan } from '../plan.js';
import type { HostGroup, PooledConnection } from '../pooled-connection.js';
import { reachedServer } from '../reach.js';
import { addressesOf } from './addresses.js';
import type { DialedHost } from './dialed-host.js';
import type { HostRound } from './order.js';
import type { HostsPlan } from './plan.js';
import { requireKind, watchKind, type ServerKind } from './server-kind.js';

/** How long to wait for a host that did not answer lately, once another one is about to take over, in milliseconds. */
const SILENT_HOST_MS = 900;

interface Failure {
  readonly place: Place;
  readonly error: unknown;
}

/**
 * One connection attempt over several hosts: dials each in turn, with all steps, until one is of the wanted kind. Each
 * gets an equal share of the time that is left; one that was silent lately gets less once another was of the wrong
 * kind, so that the hosts are soon tried again. A failure that another host would not change ends the attempt: a
 * rejected login, a hook that fails.
 */
export class HostsAttempt {
  readonly #plan: DialPlan;
  readonly #hosts: HostsPlan;
  readonly #observe: () => AttemptObserver;
  readonly #closing: ClosingSockets;
  readonly #endsAt: number;
  readonly #failures: Failure[] = [];
  #dial: Dial | undefined;
  readonly #controller = new AbortController();

  /** `observe` starts the report of one host. */
  constructor(plan: DialPlan, hosts: HostsPlan, observe: () => AttemptObserver, closing: ClosingSockets) {
    this.#plan = plan;
    this.#hosts = hosts;
    this.#observe = observe;
    this.#closing = closing;
    this.#endsAt = performance.now() + plan.connectTimeoutMs;
  }

  /** The step at which the last host failed. */
  get phase(): ConnectPhase {
    return this.#dial?.phase ?? 'hook';
  }

  /** Gives the attempt up; `run` rejects with `reason`. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
    this.#dial?.abort(reason);
  }

  /** Resolves with a connection that is logged in and initialised; rejects with the error of the only host, or one for all. */
  async run(): Promise<PooledConnection> {
    const round = this.#hosts.order.begin();
    const { wanted } = this.#hosts;
    try {
      const found = await this.#tryEach(round, round.order, wanted, wanted === 'prefer-standby' ? 1 : 0);
      if (found !== undefined) return found;
      if (wanted === 'prefer-standby') {
        const primaries = round.order.filter((index) =>
          this.#failures.some(({ place, error }) => place === this.#group(index) && isWrongHost(error)),
        );
        const second = await this.#tryEach(round, primaries, 'any', 0);
        if (second !== undefined) return second;
      }
      throw failureOf(this.#failures);
    } finally {
      round.end();
    }
  }

  /** `more` is the number of hosts for which time must be left after these. */
  async #tryEach(
    round: HostRound,
    hosts: readonly number[],
    wanted: TargetSessionAttrs,
    more: number,
  ): Promise<PooledConnection | undefined> {
    for (const [at, index] of hosts.entries()) {
      const group = this.#group(index);
      const shareMs = share(this.#endsAt, hosts.length - at + more);
      const hurried = round.isSilent(index) && this.#failures.some(({ error }) => isWrongHost(error));
      const endsAt = performance.now() + (hurried ? Math.min(shareMs, SILENT_HOST_MS) : shareMs);
      const connection = await this.#tryAddresses(group, endsAt, wanted);
      if (connection !== undefined) {
        round.succeeded(index);
        return connection;
      }
      // Where a primary is the second choice, its turn comes again.
      const error = this.#failures.at(-1)?.error;
      if (wanted === 'prefer-standby' && isWrongHost(error)) continue;
      const silent = error instanceof ConnectTimeoutError;
      // The next probe gives the host its whole share, and must not be delayed.
      if (!hurried || !silent) round.failed(index, silent);
    }
    return undefined;
  }

  /** If the kind of server does not matter, any address of a host will do: the driver finds the first that answers. */
  async #tryAddresses(
    group: HostGroup,
    endsAt: number,
    wanted: TargetSessionAttrs,
  ): Promise<PooledConnection | undefined> {
    const { signal } = this.#controller;
    const byName = wanted === 'any' || this.#plan.transport !== undefined;
    const addresses = byName ? [undefined] : await addressesOf(group.host, share(endsAt, 1), signal);
    for (const [at, address] of addresses.entries()) {
      signal.throwIfAborted();
      const timeoutMs = share(endsAt, addresses.length - at);
      const host = this.#hostOf({ group, address, timeoutMs, wanted });
      this.#dial = new Dial(this.#plan, this.#observe(), this.#closing, host);
      try {
        return await this.#dial.run();
      } catch (error) {
        if (!isWrongHost(error) && reachedServer(error, this.#dial.phase) !== false) throw error;
        this.#failures.push({ place: group, error });
      }
    }
    return undefined;
  }

  #hostOf({
    group,
    address,
    timeoutMs,
    wanted,
  }: {
    readonly group: HostGroup;
    readonly address: string | undefined;
    readonly timeoutMs: number;
    readonly wanted: TargetSessionAttrs;
  }): DialedHost {
    let kind: ServerKind = {};
    return {
      group,
      address,
      timeoutMs,
      built: (connection) => {
        if (wanted === 'any') return;
        kind = watchKind(connection.client, ({ standby }) => {
          // The standby was promoted: connections that must be to a standby are retired.
          if (wanted === 'standby' && standby === false) connection.retireHost();
        });
      },
      async accept(connection) {
        await requireKind(connection.client, kind, wanted);
      },
    };
  }

  #group(index: number): HostGroup {
    const group = this.#hosts.groups[index];
    if (group === undefined) throw new RangeError(`there is no host ${index}`);
    return group;
  }
}

/** An equal share of the time that is left, in milliseconds. */
function share(endsAt: number, shares: number): number {
  return Math.max(1, Math.round((endsAt - performance.now()) / shares));
}

function isWrongHost(error: unknown): boolean {
  return error instanceof WrongHostError;
}

/** One error for all hosts, whose class and code show whether any of them answered. */
function failureOf(failures: readonly Failure[]): unknown {
  const [first] = failures;
  if (failures.length === 1) return first?.error;
  const told = failures.map(({ place, error }) => `${placeName(place)}: ${errorText(error)}`);
  const text = `no host could be used: ${told.join('; ')}`;
  const all = new AggregateError(
    failures.map(({ error }) => error),
    text,
  );
  const wrong = failures.map(({ error }) => error).find((error) => error instanceof WrongHostError);
  if (wrong !== undefined) return new WrongHostError(text, wrong.wanted, { cause: all });
  const code = property(failures.at(-1)?.error, 'code');
  return code === undefined ? all : Object.assign(all, { code });
}
