/** How long a host that failed is tried last, in milliseconds. */
export const TRIED_LAST_MS = 10_000;

interface HostState {
  /** Until when it is tried last; 0 if it has not failed. */
  lastUntil: number;
  /** It failed without an answer, so it may use up its whole share of time again. */
  silent: boolean;
  /** One attempt is trying it in its old position, to see whether it works again. */
  probed: boolean;
}

/** The order in which one attempt tries the hosts, and its results. */
export interface HostRound {
  /** The indexes of the hosts in the config. */
  readonly order: readonly number[];
  /** Whether a host is tried last because it gave no answer lately. */
  isSilent(host: number): boolean;
  succeeded(host: number): void;
  /** `silent`: it gave no answer in its time. */
  failed(host: number, silent: boolean): void;
  /** Ends the attempt: the hosts that it was to probe but did not try are left to another. */
  end(): void;
}

/**
 * The order of the hosts of a pool. A host that failed is tried last for 10 s, and if it did not answer, after those
 * that did; then one attempt at a time probes it.
 */
export class HostOrder {
  readonly #hosts: readonly HostState[];
  readonly #random: (() => number) | undefined;
  readonly #now: () => number;

  /** `random` returns numbers from 0 to below 1 and shuffles the hosts; without it they stay in their order. */
  constructor(count: number, random?: () => number, now: () => number = () => performance.now()) {
    this.#hosts = Array.from({ length: count }, () => ({ lastUntil: 0, silent: false, probed: false }));
    this.#random = random;
    this.#now = now;
  }

  begin(): HostRound {
    const now = this.#now();
    const probes = new Set<HostState>();
    const first: number[] = [];
    const last: number[] = [];
    const silent: number[] = [];
    for (const index of this.#indexes()) {
      const host = this.#at(index);
      if (host.lastUntil === 0) first.push(index);
      else if (host.probed || now < host.lastUntil) (host.silent ? silent : last).push(index);
      else {
        host.probed = true;
        probes.add(host);
        first.push(index);
      }
    }
    const settle = (index: number, lastUntil: number, isSilent = false): void => {
      const host = this.#at(index);
      host.lastUntil = lastUntil;
      host.silent = isSilent;
      if (probes.delete(host)) host.probed = false;
    };
    return {
      order: [...first, ...last, ...silent],
      isSilent: (index) => silent.includes(index),
      succeeded: (index) => settle(index, 0),
      failed: (index, isSilent) => settle(index, this.#now() + TRIED_LAST_MS, isSilent),
      end: () => {
        for (const host of probes) host.probed = false;
        probes.clear();
      },
    };
  }

  #at(index: number): HostState {
    const host = this.#hosts[index];
    if (host === undefined) throw new RangeError(`there is no host ${index}`);
    return host;
  }

  #indexes(): number[] {
    const indexes = this.#hosts.map((_, index) => index);
    if (this.#random === undefined) return indexes;
    return indexes
      .map((index) => ({ index, at: this.#random?.() ?? 0 }))
      .sort((a, b) => a.at - b.at)
      .map(({ index }) => index);
  }
}
