import type { Tracer, TracerProvider } from '@opentelemetry/api';
import { trace } from '@opentelemetry/api';
import { quietly } from '../guard.js';
import { SCOPE } from '../names.js';

/** The destination of spans; by default the global tracer provider, even if it is registered later. */
export interface TracerOptions {
  readonly tracer?: Tracer | undefined;
  readonly tracerProvider?: TracerProvider | undefined;
}

/** Provides the tracer of one pool. */
export class TracerSource {
  readonly #followsGlobal: boolean;
  #provider: TracerProvider | undefined;
  #tracer: Tracer | undefined;

  constructor({ tracer, tracerProvider }: TracerOptions) {
    this.#followsGlobal = tracer === undefined && tracerProvider === undefined;
    if (!this.#followsGlobal)
      this.#tracer =
        tracer ??
        quietly(() => tracerProvider?.getTracer(SCOPE.name, SCOPE.version, { schemaUrl: SCOPE.schemaUrl }));
  }

  /** The current tracer; `undefined` while no SDK is registered. */
  current(): Tracer | undefined {
    if (!this.#followsGlobal) return this.#tracer;
    const registered: ProxyProvider = trace.getTracerProvider();
    // Registering an SDK changes the proxy's delegate, not the proxy.
    const provider = typeof registered.getDelegate === 'function' ? registered.getDelegate() : registered;
    if (provider !== this.#provider) {
      this.#provider = provider;
      this.#tracer = quietly(() => tracerOf(registered));
    }
    return this.#tracer;
  }
}

/** The API's proxy for the global provider; recognized by its methods, since its class may be that of another copy of the API. */
interface ProxyProvider extends TracerProvider {
  getDelegate?(): TracerProvider;
  getDelegateTracer?(name: string, version?: string, options?: { schemaUrl?: string }): Tracer | undefined;
}

/** The provider's tracer; `undefined` from a proxy without a delegate. */
function tracerOf(provider: ProxyProvider): Tracer | undefined {
  const options = { schemaUrl: SCOPE.schemaUrl };
  return typeof provider.getDelegateTracer === 'function'
    ? provider.getDelegateTracer(SCOPE.name, SCOPE.version, options)
    : provider.getTracer(SCOPE.name, SCOPE.version, options);
}
