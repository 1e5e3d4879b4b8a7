import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { lookupUntil } from './resolver.js';

/** A service's answer to one request; its body is not read. */
export interface ServiceAnswer {
  readonly status: number;
  /** How far this machine's clock is ahead of the service's, in milliseconds, to about a second. */
  readonly clockAheadMs: number | undefined;
}

/** A request to a service. */
export interface ServiceRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Root certificates, PEM. */
  readonly ca?: string;
}

/** Sends a request to a service on a new connection; rejects with the socket's error or the signal's reason. */
export function askService(
  url: URL,
  { method = 'GET', headers = {}, body = '', ca }: ServiceRequest,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sentAt = Date.now();
    const outgoing = request(url, {
      method,
      headers,
      agent: false,
      signal,
      lookup: lookupUntil(signal),
      ...(ca !== undefined && { ca }),
    });
    outgoing.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : error));
    outgoing.on('response', (response) => {
      const here = (sentAt + Date.now()) / 2;
      // The header has whole seconds, rounded down: half a second is the expected remainder.
      const there = Date.parse(response.headers.date ?? '') + 500;
      resolve({
        status: response.statusCode ?? 0,
        clockAheadMs: Number.isNaN(there) ? undefined : Math.round(here - there),
      });
      outgoing.destroy();
    });
    outgoing.end(body);
  });
}
