import { NoGrpcError } from './grpc-call.js';
import type { OtelSettings } from './otel-settings.js';
import { failed, type Facts, type Outcome } from './report.js';

/** Node's codes for a peer that does not speak the expected protocol. */
const OTHER_PROTOCOL = /^(HPE_|ERR_HTTP2_|ERR_SSL_\w*NO_APPLICATION_PROTOCOL$)/;
/** Node's and OpenSSL's codes for a handshake that failed and a certificate that is not trusted. */
const TLS = /^(EPROTO$|ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/** Explains why an export could not be tried, and what to do about it. */
export function otelFailure(error: unknown, found: string, settings: OtelSettings, facts: Facts): Outcome {
  const { grpc, caFile, origin } = settings;
  const { code = '', path } = error as NodeJS.ErrnoException;
  if (caFile !== undefined && path === caFile) {
    return failed('otel_config_invalid', found, 'correct OTEL_EXPORTER_OTLP_CERTIFICATE', facts);
  }
  if (error instanceof NoGrpcError || OTHER_PROTOCOL.test(code)) {
    const remedy = grpc
      ? 'it does not speak gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf, or dial its gRPC port (4317)'
      : 'it does not speak HTTP/1: set OTEL_EXPORTER_OTLP_PROTOCOL to grpc, or dial its HTTP port (4318)';
    return failed('otel_wrong_protocol', found, remedy, facts);
  }
  if (TLS.test(code)) {
    return failed(
      'otel_tls_failed',
      found,
      `give its authority's roots in OTEL_EXPORTER_OTLP_CERTIFICATE, or write http:// in ${origin} where it has no TLS`,
      facts,
    );
  }
  return failed(
    'otel_unreachable',
    found,
    `start the collector there, or correct ${origin}; the pool works without it, but its metrics are lost`,
    facts,
  );
}
