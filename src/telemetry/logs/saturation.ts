import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { PoolGauges } from '../../observer.js';
import { quietly } from '../guard.js';

/** How long a request must wait on a full pool, or none at all, before that is told: 1 000 ms. */
export const SATURATION_MS = 1_000;
/** The shortest time between two looks, in milliseconds. */
const LOOK_AGAIN_MS = 250;

/** What is told of a pool that is out of connections. */
export interface SaturationReports {
  /** All connections are used and the oldest request has been pending for `waitedMs`. */
  saturated(waitedMs: number, gauges: PoolGauges): void;
  /** Nothing has been pending for {@link SATURATION_MS}; it was saturated for `saturatedMs`. */
  recovered(saturatedMs: number, gauges: PoolGauges): void;
}

/** Notices saturation at no cost for those who need not wait: a timer runs only while somebody does, or until recovery. */
export class SaturationWatch {
  private gauges: PoolGauges | undefined;
  private timer: NodeJS.Timeout | undefined;
  private saturatedSince: number | undefined;
  private lastWaitEnded = 0;

  constructor(private readonly reports: SaturationReports) {}

  /** Starts to watch the pool. */
  watch(gauges: PoolGauges): void {
    this.gauges = gauges;
  }

  /** A request has to wait. Not only for a used connection: what it waits for may change. */
  waiting(): void {
    if (this.timer === undefined) this.lookIn(SATURATION_MS);
  }

  /** A request waits no more. */
  waited(): void {
    if (this.saturatedSince !== undefined) this.lastWaitEnded = performance.now();
  }

  /** The pool ends: what becomes of its requests tells nothing of its size. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.saturatedSince = undefined;
  }

  private lookIn(ms: number): void {
    if (this.gauges === undefined) return;
    // The state of the pool is no request's doing, so its record carries no request's trace.
    this.timer = context.with(ROOT_CONTEXT, () => setTimeout(() => this.look(), Math.max(ms, LOOK_AGAIN_MS)));
    this.timer.unref();
  }

  private look(): void {
    this.timer = undefined;
    quietly(() => {
      const { gauges } = this;
      if (gauges === undefined) return;
      if (this.saturatedSince === undefined) this.lookForSaturation(gauges);
      else this.lookForRecovery(gauges, this.saturatedSince);
    });
  }

  private lookForSaturation(gauges: PoolGauges): void {
    if (gauges.pending === 0) return;
    const waitedMs = gauges.longestWaitMs;
    if (waitedMs >= SATURATION_MS && gauges.used >= gauges.limit) {
      this.saturatedSince = performance.now() - waitedMs;
      this.reports.saturated(waitedMs, gauges);
      this.lookIn(SATURATION_MS);
    } else {
      this.lookIn(SATURATION_MS - waitedMs);
    }
  }

  private lookForRecovery(gauges: PoolGauges, since: number): void {
    const now = performance.now();
    const calmMs = gauges.pending > 0 ? 0 : now - this.lastWaitEnded;
    if (calmMs < SATURATION_MS) {
      this.lookIn(SATURATION_MS - calmMs);
      return;
    }
    this.saturatedSince = undefined;
    this.reports.recovered(now - since, gauges);
  }
}
