import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { failedPlaces, sqlState } from '../../foreign-error.js';
import type { TokenSource } from '../../hooks.js';
import type { AttemptObserver, CloseReason, ConnectPhase } from '../../observer.js';
import { isPoolEnded } from '../error-type.js';
import { quietly } from '../guard.js';
import { connectHint } from '../logs/hints.js';
import { ATTR, SPAN, TLS_CUSTOM, TLS_DISABLED } from '../names.js';
import { SpanClock } from '../spans/clock.js';
import { innermost, Operation } from '../spans/operation.js';
import type { ObservedAcquire } from './acquire.js';
import type { Signals } from './signals.js';
import { type OpenStep, OpenSteps } from './steps.js';

/** One physical connection attempt. */
export class ObservedAttempt implements AttemptObserver {
  readonly #signals: Signals;
  readonly #clock: SpanClock;
  readonly #connect: Operation;
  readonly #steps: OpenSteps;
  #hookStep: OpenStep | undefined;
  /** The hint of the token source that this attempt used, for a rejected login. */
  #rejectedHint: string | undefined;
  #over = false;

  constructor(signals: Signals, cause: ObservedAcquire | undefined) {
    const { tracers, identity, spanAttributes } = signals;
    this.#signals = signals;
    this.#steps = new OpenSteps(signals.errorTypes);
    this.#clock = cause?.clock ?? new SpanClock();
    // A background attempt belongs to no request, even if the span of a request is active.
    const parent = cause?.context ?? ROOT_CONTEXT;
    this.#connect = new Operation(tracers.current(), connectName(identity.database), parent, this.#clock, {
      kind: SpanKind.CLIENT,
      attributes: { ...spanAttributes, [ATTR.tlsMode]: identity.tlsMode },
    });
  }

  async hook<T>(run: () => Promise<T>): Promise<T> {
    if (this.#over) return run();
    const step = this.#steps.add(this.#child(SPAN.connectHook));
    this.#hookStep = step;
    try {
      return await this.#steps.run(step, run);
    } finally {
      this.#hookStep = undefined;
    }
  }

  async token<T>(source: TokenSource, refresh: () => Promise<T>): Promise<T> {
    // A hook may outlive its attempt; its token refresh is then no longer measured.
    if (this.#over) return refresh();
    const { metrics, logs, tracers } = this.#signals;
    const { provider, region, hint, credentials = [] } = source;
    this.#rejectedHint = hint;
    // Before the refresh, because it may fetch credentials.
    metrics.uses(credentials);
    // A refresh inside a user's hook becomes a child of that hook's span, or of the user's own span in the hook.
    const parent = this.#hookStep === undefined ? this.#connect.context : innermost(this.#hookStep.operation);
    const attributes = {
      [ATTR.authProviderName]: provider,
      ...(region !== undefined && { [ATTR.cloudRegion]: region }),
    };
    const operation = new Operation(tracers.current(), SPAN.tokenRefresh, parent, this.#clock, {
      attributes,
    });
    const startedMs = performance.now();
    const step = this.#steps.add(operation, (errorType, poolEnded) => {
      metrics.tokenRefreshed(provider, performance.now() - startedMs, errorType);
      if (errorType !== undefined && poolEnded !== true)
        operation.run(() => logs.tokenRefreshFailed(provider, errorType));
    });
    return this.#steps.run(step, refresh);
  }

  dialing(target: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly tls: boolean;
  }): void {
    const { database, tlsMode } = this.#signals.identity;
    this.#connect.set(ATTR.serverAddress, target.host);
    this.#connect.set(ATTR.serverPort, target.port);
    if (target.database !== database) {
      this.#connect.rename(connectName(target.database));
      this.#connect.set(ATTR.dbNamespace, target.database);
    }
    const plainByConfig = tlsMode === TLS_DISABLED;
    if (target.tls === plainByConfig) this.#connect.set(ATTR.tlsMode, target.tls ? TLS_CUSTOM : TLS_DISABLED);
  }

  peer(address: string): void {
    this.#connect.set(ATTR.networkPeerAddress, address);
  }

  async init<T>(run: () => Promise<T>): Promise<T> {
    if (this.#over) return run();
    return this.#steps.run(this.#steps.add(this.#child(SPAN.connectionInit)), run);
  }

  connected(durationMs: number): void {
    const signals = this.#signals;
    this.#over = true;
    signals.failedAttempts = 0;
    signals.metrics.created(durationMs);
    quietly(() => this.#connect.run(() => signals.logs.opened(durationMs)));
    this.#connect.end();
  }

  failed(durationMs: number, error: unknown, phase: ConnectPhase, close: CloseReason | undefined): void {
    const signals = this.#signals;
    this.#over = true;
    const errorType = signals.errorTypes.of(error);
    const poolEnded = isPoolEnded(error);
    // A step that still hangs at the deadline fails with the attempt; nothing else would end its span.
    this.#steps.failAll(errorType, poolEnded);

    const attempt = ++signals.failedAttempts;
    signals.metrics.created(durationMs, errorType);
    if (close !== undefined) signals.metrics.closed(close);
    quietly(() =>
      this.#connect.run(() => {
        if (close !== undefined) signals.logs.closed(close, 0, errorType);
        // An attempt that is cut off by the end of the pool needs no attention.
        if (!poolEnded)
          signals.logs.connectFailed({
            errorType,
            phase,
            attempt,
            durationMs,
            tried: failedPlaces(error).map(({ place, code }) => `${place} ${code}`),
            hint: connectHint(error, this.#rejectedHint),
          });
      }),
    );
    const status = sqlState(error);
    if (status !== undefined) this.#connect.set(ATTR.dbResponseStatusCode, status);
    this.#connect.end(errorType);
  }

  #child(name: string): Operation {
    return new Operation(this.#signals.tracers.current(), name, this.#connect.context, this.#clock);
  }
}

function connectName(database: string): string {
  return `${SPAN.connect} ${database}`;
}
