import { validateHeaderName, validateHeaderValue } from 'node:http';

/** The destination of metrics, from OpenTelemetry's own variables. */
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
const GRPC_PORT = 4317;

/** A variable that cannot be parsed; neither text contains its value. */
export class OtelSettingsError extends Error {
  constructor(
    message: string,
    /** What to do about it. */
    readonly remedy: string,
  ) {
    super(message);
  }
}

/** The settings, undefined when no endpoint is set; throws OtelSettingsError. */
export function otelSettings(env: Readonly<NodeJS.ProcessEnv>): OtelSettings | undefined {
  const origin = [SIGNAL, GENERAL].find((name) => env[name]);
  if (origin === undefined) return undefined;
  const either = (rest: string): string | undefined =>
    env[`OTEL_EXPORTER_OTLP_METRICS_${rest}`] || env[`OTEL_EXPORTER_OTLP_${rest}`];
  const protocol = either('PROTOCOL') ?? 'http/protobuf';
  const grpc = protocol === 'grpc';
  return {
    url: endpoint(env[origin] ?? '', grpc, origin),
    grpc,
    contentType: protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    headers: headersOf(either('HEADERS') ?? ''),
    caFile: either('CERTIFICATE'),
    origin,
  };
}

function endpoint(text: string, grpc: boolean, origin: string): URL {
  // gRPC also accepts `host:port`.
  const given = grpc && !text.includes('://') ? `http://${text}` : text;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new OtelSettingsError(
      `${origin} is not an address`,
      `set ${origin} to one, such as ${grpc ? 'http://localhost:4317' : 'http://localhost:4318'}`,
    );
  }
  if (grpc && url.protocol === 'http:' && url.port === '') url.port = String(GRPC_PORT);
  if (origin === GENERAL && !grpc) url.pathname = url.pathname.replace(/\/?$/, `/${METRICS_PATH}`);
  return url;
}

function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const [name = '', ...value] = pair.split('=');
    if (name.trim() !== '' && value.length > 0) headers[name.trim()] = decoded(value.join('=').trim());
  }
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    }
  } catch {
    // If a colon was used instead of the equals sign, even the name contains the secret.
    throw new OtelSettingsError(
      'OTEL_EXPORTER_OTLP_HEADERS does not hold HTTP headers',
      'write it as name=value,name=value with the values percent-encoded',
    );
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
