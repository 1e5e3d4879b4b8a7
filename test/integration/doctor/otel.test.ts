import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { diagnose, expectFailure, expectWarning } from './run-doctor.js';

const CANARY = 'Bearer canary-of-a-collector';

/** A collector that answers with this status; what it was asked is kept. */
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

describe('the OTel endpoint', () => {
  it('fails when nobody listens there, whatever else failed', async () => {
    const { url, close } = await collector(200);
    await close();
    const diagnosis = await diagnose({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } });
    expectFailure(diagnosis, 'otel', 'otel_unreachable', 'correct OTEL_EXPORTER_OTLP_ENDPOINT');
    expect(diagnosis.step('otel').found).toContain('ECONNREFUSED');
    expect(diagnosis.failed).toEqual(['configuration', 'otel']);
  });

  it('gives up on one that never answers', async () => {
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

  it('warns of an answer that it does not expect', async () => {
    const { url } = await collector(503);
    const diagnosis = await diagnose({ env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url } });
    expectWarning(diagnosis, 'otel', 'otel_unexpected_answer', "collector's log");
  });

  it('connects to one that speaks gRPC, and fails when nobody listens', async () => {
    const { url, close } = await collector(200);
    const env = {
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_ENDPOINT: url.replace('http://', ''),
    };
    expect((await diagnose({ env })).step('otel')).toMatchObject({
      status: 'ok',
      facts: { protocol: 'grpc' },
    });
    await close();
    expectFailure(await diagnose({ env }), 'otel', 'otel_unreachable', 'start the collector there');
  });

  it('fails on an endpoint that is no address', async () => {
    const diagnosis = await diagnose({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' } });
    expectFailure(diagnosis, 'otel', 'otel_config_invalid', 'http://localhost:4318');
  });
});
