import { connect, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import { lookupUntil } from './resolver.js';

/** The service speaks HTTP/2, but answered the call without a gRPC status. */
export class NoGrpcError extends Error {
  constructor(httpStatus: number | undefined) {
    super(httpStatus === undefined ? 'closed without an answer' : `HTTP ${httpStatus} without a gRPC status`);
  }
}

// Five bytes: not compressed, and no length.
const EMPTY_MESSAGE = Buffer.alloc(5);

/**
 * Calls a method with an empty message on a new connection and resolves with its status; rejects with NoGrpcError, the
 * socket's error or the signal's reason.
 */
export async function callGrpc(
  url: URL,
  method: string,
  { headers, ca }: { readonly headers: Readonly<Record<string, string>>; readonly ca: string | undefined },
  signal: AbortSignal,
): Promise<number> {
  const session = connect(url, { lookup: lookupUntil(signal), ...(ca !== undefined && { ca }) });
  const giveUp = (): void => session.destroy(signal.reason as Error);
  signal.addEventListener('abort', giveUp);
  try {
    return await new Promise((resolve, reject) => {
      const call = session.request({
        ...{ ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' },
        ...headers,
      });
      let httpStatus: number | undefined;
      let grpcStatus: number | undefined;
      let failure: Error | undefined;
      const read = (said: IncomingHttpHeaders & IncomingHttpStatusHeader): void => {
        httpStatus ??= said[':status'];
        if (said['grpc-status'] !== undefined) grpcStatus = Number(said['grpc-status']);
      };
      // An answer without a message has its status in the headers.
      call.on('response', read).on('trailers', read);
      call.on('error', (error: Error) => (failure ??= error));
      call.on('close', () => session.destroy());
      // This error arrives last and replaces that of the call, which only reports a cancellation.
      session.on('error', (error: Error) => (failure = error));
      session.on('close', () => {
        if (grpcStatus !== undefined) resolve(grpcStatus);
        else reject(failure ?? new NoGrpcError(httpStatus));
      });
      call.resume().end(EMPTY_MESSAGE);
    });
  } finally {
    signal.removeEventListener('abort', giveUp);
    session.destroy();
  }
}
