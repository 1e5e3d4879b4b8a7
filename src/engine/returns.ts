import type { EngineLimits, EngineReason, ResourceKind } from './kind.js';
import type { Slot } from './slot.js';

/** The engine's decision about a resource, once it is known whether the resource is usable. */
export interface CheckOwner<T, R extends string> {
  /** Keeps a resource that can be handed out again. */
  keep(slot: Slot<T>, now: number): void;
  /** Destroys a resource that cannot; no effect if it was destroyed meanwhile. */
  discard(slot: Slot<T>, reason: EngineReason | R): void;
}

/** Determines whether returned resources can be handed out again: at once, once they have settled, or after a reset. */
export class Returns<T, C, R extends string> {
  readonly #kind: ResourceKind<T, C, R>;
  readonly #limits: EngineLimits;
  readonly #owner: CheckOwner<T, R>;

  constructor(kind: ResourceKind<T, C, R>, limits: EngineLimits, owner: CheckOwner<T, R>) {
    this.#kind = kind;
    this.#limits = limits;
    this.#owner = owner;
  }

  judge(slot: Slot<T>, now: number): void {
    const verdict = this.#kind.judge(slot.resource);
    if (verdict === 'ready') this.#owner.keep(slot, now);
    else if (verdict === 'settling') this.#settle(slot);
    else this.#owner.discard(slot, verdict);
  }

  /** Resets a used resource, which is then judged again; `false` if its kind has no reset, or it was not used. */
  reset(slot: Slot<T>): boolean {
    if (!slot.used || this.#kind.reset === undefined) return false;
    slot.used = false;
    this.#kind.reset(slot.resource, (failed) => {
      if (slot.state !== 'between') return;
      if (failed === undefined) this.judge(slot, performance.now());
      else this.#owner.discard(slot, failed);
    });
    return true;
  }

  #settle(slot: Slot<T>): void {
    const unsettled = (): void => this.#owner.discard(slot, 'unsettled');
    slot.settling = this.#limits.startDeadline(this.#limits.settleMs, unsettled);
    this.#kind.whenSettled(slot.resource, () => {
      slot.settling?.clear();
      if (slot.state === 'between') this.judge(slot, performance.now());
    });
  }
}
