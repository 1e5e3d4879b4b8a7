/** Where metrics are exported to, as OpenTelemetry's own variables say it. */
export interface OtelSettings {
  readonly url: URL;
  readonly grpc: boolean;
  readonly contentType: string;
  /** May hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** File of root certificates. */
  readonly caFile: string | undefined;
  /** The variable that named the endpoint. */
  readonly origin: string;
}

const SIGNAL = 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT';
const GENERAL = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const METRICS_PATH = 'v1/metrics';

/** The settings, undefined when no endpoint is set; throws when one is set that is no address. */
export function otelSettings(env: Readonly<NodeJS.ProcessEnv>): OtelSettings | undefined {
  const origin = [SIGNAL, GENERAL].find((name) => env[name]);
  if (origin === undefined) return undefined;
  const either = (rest: string): string | undefined =>
    env[`OTEL_EXPORTER_OTLP_METRICS_${rest}`] || env[`OTEL_EXPORTER_OTLP_${rest}`];
  const protocol = either('PROTOCOL') ?? 'http/protobuf';
  const grpc = protocol === 'grpc';
  return {
    url: endpoint(env[origin] ?? '', grpc, origin === GENERAL),
    grpc,
    contentType: protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    headers: headersOf(either('HEADERS') ?? ''),
    caFile: either('CERTIFICATE'),
    origin,
  };
}

function endpoint(text: string, grpc: boolean, general: boolean): URL {
  // gRPC takes `host:port` too.
  const url = new URL(grpc && !text.includes('://') ? `http://${text}` : text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('not http or https');
  if (general && !grpc) url.pathname = url.pathname.replace(/\/?$/, `/${METRICS_PATH}`);
  return url;
}

function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const [name = '', ...value] = pair.split('=');
    if (name.trim() !== '' && value.length > 0) headers[name.trim()] = decoded(value.join('=').trim());
  }
  return headers;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
