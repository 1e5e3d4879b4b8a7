import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCa } from '../../../local-rds/index.js';
import { diagnose, emptyHome, expectFailure, expectWarning } from './run-doctor.js';

const CANARY = 'Bearer canary-of-a-collector';

/** A collector that answers with this status and keeps the requests. */
async function collector(status: number) {
  const requests: { path: string; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', authorization: request.headers.authorization });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => server.close(resolve));
  onTestFinished(async () => {
    await close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

/** A collector that speaks gRPC, answers with this status and keeps the requests. */
async function grpcCollector(status: number) {
  const calls: { path: string; authorization: string | undefined; body: string }[] = [];
  const server = createHttp2Server();
  server.on('stream', (stream, { ':path': path = '', authorization }) => {
    let body = '';
    stream.setEncoding('hex').on('data', (piece: string) => (body += piece));
    stream.on('end', () => {
      calls.push({ path, authorization, body });
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));
      stream.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const env = {
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_ENDPOINT: `127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  return { env, calls };
}

describe('the doctor, checking the OTel endpoint,', () => {
  it('fails when no process listens there, whatever else failed', async () => {
    const { url, close } = await collector(200);
    await close();
    const diagnosis = await diagnose({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } });
    expectFailure(diagnosis, 'otel', 'otel_unreachable', 'correct OTEL_EXPORTER_OTLP_ENDPOINT');
    expect(diagnosis.step('otel').found).toContain('ECONNREFUSED');
    expect(diagnosis.failed).toEqual(['configuration', 'otel']);
  });

  it('gives up on an endpoint that never answers', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const diagnosis = await diagnose({
      args: ['--timeout', '3'],
      env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url },
    });
    expectFailure(diagnosis, 'otel', 'otel_unreachable', 'correct OTEL_EXPORTER_OTLP_METRICS_ENDPOINT');
    expect(diagnosis.step('otel').found).toContain('no answer');
  });

  it.each([
    [401, 'otel_unauthorized', 'OTEL_EXPORTER_OTLP_HEADERS'],
    [404, 'otel_wrong_path', '/v1/metrics appended'],
  ])('fails on HTTP %i, and sends the headers without printing them', async (status, code, remedy) => {
    const { url, requests } = await collector(status);
    const diagnosis = await diagnose({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: url.replace('://', '://user:canary-in-the-url@'),
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(CANARY)}`,
      },
      secrets: [CANARY, 'canary-in-the-url'],
    });
    expectFailure(diagnosis, 'otel', code, remedy);
    expect(requests).toEqual(Array(2).fill({ path: '/v1/metrics', authorization: CANARY }));
  });

  it('warns about an unexpected answer', async () => {
    const { url } = await collector(503);
    const diagnosis = await diagnose({ env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url } });
    expectWarning(diagnosis, 'otel', 'otel_unexpected_answer', "collector's log");
  });

  it.each([
    [0, 'ok', ''],
    [16, 'otel_unauthorized', 'OTEL_EXPORTER_OTLP_HEADERS'],
    [12, 'otel_wrong_path', 'no OTLP receiver for metrics'],
    [14, 'otel_unexpected_answer', "collector's log"],
  ])('calls a gRPC endpoint, which answers %i: %s', async (status, code, remedy) => {
    const { env, calls } = await grpcCollector(status);
    const diagnosis = await diagnose({
      env: { ...env, OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(CANARY)}` },
      secrets: [CANARY],
    });
    const { facts, ...step } = diagnosis.step('otel');
    expect(step.code).toBe(code);
    expect(step.remedy ?? '').toContain(remedy);
    expect(facts).toMatchObject({ protocol: 'grpc', grpc_status: status });
    expect(calls).toEqual(
      Array(2).fill({
        path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
        authorization: CANARY,
        body: '0000000000',
      }),
    );
  });

  it('fails when no process listens on the gRPC port', async () => {
    const { url, close } = await collector(200);
    await close();
    const env = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: url };
    const diagnosis = await diagnose({ env });
    expectFailure(diagnosis, 'otel', 'otel_unreachable', 'start the collector there');
    expect(diagnosis.step('otel').found).toContain('ECONNREFUSED');
  });

  it('recognises HTTP on a gRPC endpoint, and gRPC on an HTTP endpoint', async () => {
    const { url } = await collector(200);
    const asGrpc = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: url };
    expectFailure(await diagnose({ env: asGrpc }), 'otel', 'otel_wrong_protocol', 'to http/protobuf');
    const { env } = await grpcCollector(0);
    const asHttp = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${env.OTEL_EXPORTER_OTLP_ENDPOINT}` };
    expectFailure(await diagnose({ env: asHttp }), 'otel', 'otel_wrong_protocol', 'to grpc');
  });

  it('reports an untrusted certificate, accepts its authority, and names a missing file', async () => {
    const ca = await createCa();
    const { certPem, keyPem } = await ca.issue({ dnsNames: ['localhost'] });
    const server = createHttpsServer({ cert: certPem, key: keyPem }, (_, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const home = emptyHome();
    const env = {
      ...home,
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://localhost:${(server.address() as AddressInfo).port}`,
    };
    expectFailure(await diagnose({ env }), 'otel', 'otel_tls_failed', 'OTEL_EXPORTER_OTLP_CERTIFICATE');

    const file = join(home['HOME'] ?? '', 'collector-ca.pem');
    const named = { ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: file };
    expectFailure(
      await diagnose({ env: named }),
      'otel',
      'otel_config_invalid',
      'OTEL_EXPORTER_OTLP_CERTIFICATE',
    );
    writeFileSync(file, ca.certPem);
    expect((await diagnose({ env: named })).step('otel').status).toBe('ok');
  });

  it('refuses headers with a colon, whose name would contain the secret, without printing it', async () => {
    const { url, requests } = await collector(200);
    const diagnosis = await diagnose({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization: Bearer canary-of-a-collector==',
      },
      secrets: ['canary-of-a-collector'],
    });
    expectFailure(diagnosis, 'otel', 'otel_config_invalid', 'name=value');
    expect(requests).toEqual([]);
  });

  it('does not call it when the SDK is disabled', async () => {
    const env = { OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    expect((await diagnose({ env })).step('otel')).toMatchObject({ code: 'not_configured' });
  });

  it.each(['none', 'prometheus', 'console, prometheus'])(
    'does not call it when metrics are exported to %s',
    async (exporter) => {
      const env = { OTEL_METRICS_EXPORTER: exporter, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
      const { code, found } = (await diagnose({ env })).step('otel');
      expect({ code, found }).toEqual({
        code: 'not_configured',
        found: `OTEL_METRICS_EXPORTER is ${exporter}: no metrics go to an OTLP endpoint`,
      });
    },
  );

  it.each(['otlp', 'console, otlp', ''])(
    'calls it when metrics are exported to "%s"',
    async (OTEL_METRICS_EXPORTER) => {
      const env = { OTEL_METRICS_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
      expect((await diagnose({ env })).step('otel').code).toBe('otel_unreachable');
    },
  );

  it('fails on an endpoint that is not a URL', async () => {
    const diagnosis = await diagnose({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' } });
    expectFailure(diagnosis, 'otel', 'otel_config_invalid', 'http://localhost:4318');
  });
});
