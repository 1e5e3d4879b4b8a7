import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import type { TokenSource } from '../../hooks.js';
import type { AttemptObserver, CloseReason, ConnectPhase } from '../../observer.js';
import type { ObservedAcquire } from './acquire.js';
import { isPoolEnded, sqlState } from '../error-type.js';
import { quietly } from '../guard.js';
import { connectHint } from '../logs/hints.js';
import { ATTR, SPAN, TLS_CUSTOM, TLS_DISABLED } from '../names.js';
import type { Signals } from './signals.js';
import { innermost, Operation, SpanClock } from '../spans/operation.js';

/** A step of an attempt that has not ended; `finish` is told the error's type if it failed, and acts once. */
interface OpenStep {
  readonly operation: Operation;
  finish(errorType?: string, poolEnded?: boolean): void;
}

/** One physical connection attempt. */
export class ObservedAttempt implements AttemptObserver {
  private readonly clock: SpanClock;
  private readonly connect: Operation;
  private readonly steps = new Set<OpenStep>();
  private hookStep: OpenStep | undefined;
  private usedToken = false;
  private over = false;

  constructor(
    private readonly signals: Signals,
    cause: ObservedAcquire | undefined,
  ) {
    const { tracers, identity, spanAttributes } = signals;
    this.clock = cause?.clock ?? new SpanClock();
    // An attempt in the background belongs to no request, whatever happens to be active.
    this.connect = Operation.start(
      tracers.current(),
      connectName(identity.database),
      cause?.context ?? ROOT_CONTEXT,
      this.clock,
      {
        kind: SpanKind.CLIENT,
        attributes: { ...spanAttributes, [ATTR.tlsMode]: identity.tlsMode },
      },
    );
  }

  async hook<T>(run: () => Promise<T>): Promise<T> {
    if (this.over) return run();
    const step = this.step(this.child(SPAN.connectHook));
    this.hookStep = step;
    try {
      return await this.through(step, run);
    } finally {
      this.hookStep = undefined;
    }
  }

  async token<T>(source: TokenSource, refresh: () => Promise<T>): Promise<T> {
    // A hook that outlived its attempt: there is nothing left to measure it for.
    if (this.over) return refresh();
    const { metrics, logs, tracers } = this.signals;
    const { provider, region } = source;
    this.usedToken = true;
    // Before the refresh, which may fetch them.
    metrics.tokensFrom(provider);
    // Composed in a user's hook it belongs below that hook, and below the user's own spans there.
    const parent = this.hookStep === undefined ? this.connect.context : innermost(this.hookStep.operation);
    const attributes = {
      [ATTR.authProviderName]: provider,
      ...(region !== undefined && { [ATTR.cloudRegion]: region }),
    };
    const operation = Operation.start(tracers.current(), SPAN.tokenRefresh, parent, this.clock, {
      attributes,
    });
    const startedMs = performance.now();
    const step = this.step(operation, (errorType, poolEnded) => {
      metrics.tokenRefreshed(provider, performance.now() - startedMs, errorType);
      if (errorType !== undefined && poolEnded !== true)
        operation.run(() => logs.tokenRefreshFailed(provider, errorType));
    });
    return this.through(step, refresh);
  }

  dialing(target: {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly tls: boolean;
  }): void {
    const { database, tlsMode } = this.signals.identity;
    this.connect.set(ATTR.serverAddress, target.host);
    this.connect.set(ATTR.serverPort, target.port);
    if (target.database !== database) {
      this.connect.rename(connectName(target.database));
      this.connect.set(ATTR.dbNamespace, target.database);
    }
    const plainByConfig = tlsMode === TLS_DISABLED;
    if (target.tls === plainByConfig) this.connect.set(ATTR.tlsMode, target.tls ? TLS_CUSTOM : TLS_DISABLED);
  }

  peer(address: string): void {
    this.connect.set(ATTR.networkPeerAddress, address);
  }

  async init<T>(run: () => Promise<T>): Promise<T> {
    if (this.over) return run();
    return this.through(this.step(this.child(SPAN.connectionInit)), run);
  }

  connected(durationMs: number): void {
    const { signals } = this;
    this.over = true;
    signals.failedAttempts = 0;
    signals.metrics.created(durationMs);
    quietly(() => this.connect.run(() => signals.logs.opened(durationMs)));
    this.connect.end();
  }

  failed(durationMs: number, error: unknown, phase: ConnectPhase, close: CloseReason | undefined): void {
    const { signals } = this;
    this.over = true;
    const errorType = signals.errorTypes.of(error);
    const poolEnded = isPoolEnded(error);
    // A step that hangs when the deadline passes failed by it: nobody else will end its span.
    for (const step of [...this.steps].reverse()) step.finish(errorType, poolEnded);

    const attempt = ++signals.failedAttempts;
    signals.metrics.created(durationMs, errorType);
    if (close !== undefined) signals.metrics.closed(close);
    quietly(() =>
      this.connect.run(() => {
        if (close !== undefined) signals.logs.closed(close, 0, errorType);
        // Ending a pool in the middle of an attempt is nobody's fault.
        if (!poolEnded)
          signals.logs.connectFailed({
            errorType,
            phase,
            attempt,
            durationMs,
            hint: connectHint(error, this.usedToken),
          });
      }),
    );
    const status = sqlState(error);
    if (status !== undefined) this.connect.set(ATTR.dbResponseStatusCode, status);
    this.connect.end(errorType);
  }

  private child(name: string): Operation {
    return Operation.start(this.signals.tracers.current(), name, this.connect.context, this.clock);
  }

  private step(
    operation: Operation,
    report?: (errorType: string | undefined, poolEnded: boolean | undefined) => void,
  ): OpenStep {
    const step: OpenStep = {
      operation,
      finish: (errorType, poolEnded) => {
        if (!this.steps.delete(step)) return;
        quietly(() => report?.(errorType, poolEnded));
        operation.end(errorType);
      },
    };
    this.steps.add(step);
    return step;
  }

  private async through<T>(step: OpenStep, run: () => Promise<T>): Promise<T> {
    try {
      const result = await step.operation.run(run);
      step.finish();
      return result;
    } catch (error) {
      step.finish(this.signals.errorTypes.of(error), isPoolEnded(error));
      throw error;
    }
  }
}

function connectName(database: string): string {
  return `${SPAN.connect} ${database}`;
}
