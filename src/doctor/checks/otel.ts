import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { otelSettings, type OtelSettings } from '../otel-settings.js';
import { failed, notConfigured, ok, warning, type Outcome } from '../report.js';
import { askService } from '../service-answer.js';
import type { Session } from '../session.js';

const GRPC_PORT = 4317;

/** Looks whether metrics would arrive: exports none to the endpoint over HTTP, or connects to it where it speaks gRPC. */
export async function checkOtel(session: Session, signal: AbortSignal): Promise<Outcome> {
  const { env, text } = session;
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return notConfigured('OTEL_SDK_DISABLED is set');
  let settings: OtelSettings | undefined;
  try {
    settings = otelSettings(env);
  } catch {
    return failed(
      'otel_config_invalid',
      'the OTLP endpoint is not an address',
      'set OTEL_EXPORTER_OTLP_ENDPOINT to one, such as http://localhost:4318',
    );
  }
  if (settings === undefined) return notConfigured('not configured: OTEL_EXPORTER_OTLP_ENDPOINT is not set');
  for (const value of Object.values(settings.headers)) text.hide(value);
  // Without user and password, should it hold them.
  const shown = `${settings.url.origin}${settings.grpc ? '' : settings.url.pathname}`;
  const facts = { endpoint: shown, protocol: settings.grpc ? 'grpc' : 'http', from: settings.origin };
  try {
    if (settings.grpc) {
      await reach(settings.url, signal);
      return ok(`${shown} accepts connections (gRPC)`, { facts });
    }
    return judge(await exportNothing(settings, signal), shown, facts);
  } catch (error) {
    const said = signal.aborted ? 'no answer' : text.ofError(error);
    return failed(
      'otel_unreachable',
      `${shown}: ${said}`,
      `start the collector there, or correct ${settings.origin}; the pool works without, and nobody sees its metrics`,
      facts,
    );
  }
}

async function exportNothing(settings: OtelSettings, signal: AbortSignal): Promise<number> {
  const { url, headers, contentType, caFile } = settings;
  const { status } = await askService(
    url,
    {
      method: 'POST',
      headers: { 'content-type': contentType, ...headers },
      body: contentType === 'application/json' ? '{}' : '',
      ...(caFile !== undefined && { ca: await readFile(caFile, 'utf8') }),
    },
    signal,
  );
  return status;
}

function judge(status: number, shown: string, asked: object): Outcome {
  const facts = { ...asked, http_status: status };
  const found = `${shown} answers HTTP ${status}`;
  if (status >= 200 && status < 300) return ok(found, { facts });
  if (status === 401 || status === 403) {
    return failed('otel_unauthorized', found, 'set the credentials in OTEL_EXPORTER_OTLP_HEADERS', facts);
  }
  if (status === 404 || status === 405) {
    return failed(
      'otel_wrong_path',
      found,
      'no OTLP receiver is at that path: the general variable gets /v1/metrics appended, the one for metrics is taken as it is',
      facts,
    );
  }
  return warning('otel_unexpected_answer', found, "look at the collector's log", facts);
}

function reach(url: URL, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const defaultPort = url.protocol === 'https:' ? 443 : GRPC_PORT;
    const socket = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || defaultPort),
      signal,
    });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
