import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { Deadline } from '../../deadline.js';
import type { PoolGauges } from '../../observer.js';
import { quietly } from '../guard.js';

/** How long requests must wait on a full pool before it counts as saturated, and be absent before it has recovered. */
export const SATURATION_MS = 1_000;
/** The shortest time between two checks, in milliseconds. */
const MIN_CHECK_INTERVAL_MS = 250;

/** Receives the reports of a {@link SaturationWatch}. */
export interface SaturationReports {
  /** All connections are used and the oldest request has been pending for `waitedMs`. */
  saturated(waitedMs: number, gauges: PoolGauges): void;
  /** No request has been pending for {@link SATURATION_MS}; the pool was saturated for `saturatedMs`. */
  recovered(saturatedMs: number, gauges: PoolGauges): void;
}

/**
 * Detects saturation. Acquires that are served at once cost nothing: a timer runs only while a request waits, or until
 * the pool has recovered.
 */
export class SaturationWatch {
  readonly #reports: SaturationReports;
  #gauges: PoolGauges | undefined;
  #deadline: Deadline | undefined;
  #saturatedSince: number | undefined;
  #lastWaitEnded = 0;

  constructor(reports: SaturationReports) {
    this.#reports = reports;
  }

  /** Starts to watch the pool. */
  watch(gauges: PoolGauges): void {
    this.#gauges = gauges;
  }

  /** A request has to wait, even if for a new connection: that connection may go to another request. */
  waiting(): void {
    if (this.#deadline === undefined) this.#checkIn(SATURATION_MS);
  }

  /** A request no longer waits. */
  waited(): void {
    if (this.#saturatedSince !== undefined) this.#lastWaitEnded = performance.now();
  }

  /** The pool ends; requests rejected by the end must not count as a recovery. */
  stop(): void {
    this.#deadline?.clear();
    this.#deadline = undefined;
    this.#saturatedSince = undefined;
  }

  #checkIn(ms: number): void {
    if (this.#gauges === undefined) return;
    // In the root context: the record is about the pool, so it must not carry the trace of one request.
    this.#deadline = context.with(
      ROOT_CONTEXT,
      () => new Deadline(Math.max(ms, MIN_CHECK_INTERVAL_MS), () => this.#check()),
    );
  }

  #check(): void {
    this.#deadline = undefined;
    quietly(() => {
      const gauges = this.#gauges;
      if (gauges === undefined) return;
      if (this.#saturatedSince === undefined) this.#checkSaturation(gauges);
      else this.#checkRecovery(gauges, this.#saturatedSince);
    });
  }

  #checkSaturation(gauges: PoolGauges): void {
    if (gauges.pending === 0) return;
    const waitedMs = gauges.longestWaitMs;
    if (waitedMs >= SATURATION_MS && gauges.used >= gauges.limit) {
      this.#saturatedSince = performance.now() - waitedMs;
      this.#reports.saturated(waitedMs, gauges);
      this.#checkIn(SATURATION_MS);
    } else {
      this.#checkIn(SATURATION_MS - waitedMs);
    }
  }

  #checkRecovery(gauges: PoolGauges, since: number): void {
    const now = performance.now();
    const calmMs = gauges.pending > 0 ? 0 : now - this.#lastWaitEnded;
    if (calmMs < SATURATION_MS) {
      this.#checkIn(SATURATION_MS - calmMs);
      return;
    }
    this.#saturatedSince = undefined;
    this.#reports.recovered(now - since, gauges);
  }
}
