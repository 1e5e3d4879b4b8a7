// Loaded before everything else (`node --import`), so that the instrumentation can wrap modules as they are loaded.
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { log } from './log.js';

const PROBES = ['/livez', '/readyz'];

/** Exporters, endpoint, interval and service name come from the standard `OTEL_*` variables. */
const sdk = new NodeSDK({
  instrumentations: [
    new HttpInstrumentation({
      // Probes would make up most of the traces of a quiet service.
      ignoreIncomingRequestHook: ({ url }) => PROBES.includes(url ?? ''),
    }),
  ],
});
sdk.start();

/** Exports the remaining telemetry. Call it last, because the pool also reports its end. */
export async function stopTelemetry(): Promise<void> {
  await sdk.shutdown().catch((error: unknown) => {
    log.error(error, 'the last telemetry was not exported');
  });
}
