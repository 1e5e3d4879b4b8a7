import { readFile } from 'node:fs/promises';
import { callGrpc } from '../grpc-call.js';
import { otelFailure } from '../otel-failure.js';
import { OtelSettingsError, otelSettings, type OtelSettings } from '../otel-settings.js';
import { failed, notConfigured, ok, warning, type Outcome } from '../report.js';
import { askService } from '../service-answer.js';
import type { Session } from '../session.js';

const EXPORT_METHOD = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

/** Checks whether metrics would arrive, with an empty export to the endpoint. */
export async function checkOtel(session: Session, signal: AbortSignal): Promise<Outcome> {
  const { env, text } = session;
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return notConfigured('OTEL_SDK_DISABLED is set');
  const exporters = env['OTEL_METRICS_EXPORTER']?.trim();
  if (exporters && !exporters.split(',').some((name) => name.trim() === 'otlp'))
    return notConfigured(
      `OTEL_METRICS_EXPORTER is ${text.clean(exporters)}: no metrics go to an OTLP endpoint`,
    );
  let settings: OtelSettings | undefined;
  try {
    settings = otelSettings(env);
  } catch (error) {
    if (!(error instanceof OtelSettingsError)) throw error;
    return failed('otel_config_invalid', error.message, error.remedy);
  }
  if (settings === undefined) return notConfigured('not configured: no OTEL_EXPORTER_OTLP_ENDPOINT');
  for (const value of Object.values(settings.headers)) text.hide(value);
  // Without user and password, if it contains them.
  const shown = `${settings.url.origin}${settings.grpc ? '' : settings.url.pathname}`;
  const protocol = settings.grpc ? 'grpc' : 'http';
  const facts = { endpoint: shown, protocol, from: settings.origin };
  try {
    const answer = await exportNothing(settings, signal);
    return judge(answer, shown, facts);
  } catch (error) {
    const said = signal.aborted ? 'no answer' : text.ofError(error);
    return otelFailure(error, `${shown}: ${said}`, settings, facts);
  }
}

interface Answer {
  readonly protocol: 'HTTP' | 'gRPC';
  readonly status: number;
}

async function exportNothing(settings: OtelSettings, signal: AbortSignal): Promise<Answer> {
  const { url, grpc, headers, contentType, caFile } = settings;
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  if (grpc) {
    return { protocol: 'gRPC', status: await callGrpc(url, EXPORT_METHOD, { headers, ca }, signal) };
  }
  const { status } = await askService(
    url,
    {
      method: 'POST',
      headers: { 'content-type': contentType, ...headers },
      body: contentType === 'application/json' ? '{}' : '',
      ...(ca !== undefined && { ca }),
    },
    signal,
  );
  return { protocol: 'HTTP', status };
}

function judge({ protocol, status }: Answer, shown: string, asked: object): Outcome {
  const grpc = protocol === 'gRPC';
  const facts = { ...asked, [grpc ? 'grpc_status' : 'http_status']: status };
  const found = `${shown} answers ${grpc ? 'gRPC status' : 'HTTP'} ${status}`;
  const is = (http: readonly number[], call: readonly number[]): boolean =>
    (grpc ? call : http).includes(status);
  if (grpc ? status === 0 : status >= 200 && status < 300) return ok(found, { facts });
  // PERMISSION_DENIED, UNAUTHENTICATED.
  if (is([401, 403], [7, 16])) {
    return failed('otel_unauthorized', found, 'set the credentials in OTEL_EXPORTER_OTLP_HEADERS', facts);
  }
  // UNIMPLEMENTED.
  if (is([404, 405], [12])) {
    return failed(
      'otel_wrong_path',
      found,
      'no OTLP receiver for metrics is there: over HTTP the general variable gets /v1/metrics appended, the one for metrics is taken as it is',
      facts,
    );
  }
  return warning('otel_unexpected_answer', found, "look at the collector's log", facts);
}
