import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { ConfigError } from '../errors.js';
import type { DialFunction, DialTarget } from '../hooks.js';
import type { DriverConnection } from './driver.js';

/** A stream that leads to the server. */
export interface Transport {
  readonly stream: Duplex;
  /** Whether it is encrypted already. */
  readonly encrypted: boolean;
}

/** Opens a transport to one server. */
export type OpenTransport = (signal: AbortSignal) => Promise<Transport>;

/** How to reach a server without the driver's TCP, and the TLS options for a transport that is not encrypted. */
export interface WayToServer {
  readonly open: OpenTransport;
  readonly ssl: false | ConnectionOptions;
}

const NO_STREAM = 'dial must return a Duplex stream, or { stream, encrypted }';
const METHODS = ['on', 'once', 'pipe', 'read', 'write', 'end', 'destroy'];

/**
 * Calls `dial` for a stream and waits until it is connected. When `signal` is aborted, the stream is destroyed, also
 * one that `dial` returns later.
 */
export async function openTransport(
  dial: DialFunction,
  target: DialTarget,
  signal: AbortSignal,
): Promise<Transport> {
  const answer: unknown = dial(Object.freeze(target), { signal });
  // A stream that is returned without a promise may fail before a continuation runs.
  const transport = isStream(answer) ? accepted(answer, signal) : accepted(await answer, signal);
  try {
    await connected(transport.stream);
  } catch (error) {
    transport.stream.destroy();
    throw error;
  }
  return transport;
}

function accepted(answer: unknown, signal: AbortSignal): Transport {
  const given = isStream(answer) ? { stream: answer } : ((answer ?? {}) as Partial<Record<string, unknown>>);
  const { stream, encrypted = false } = given as { stream?: unknown; encrypted?: unknown };
  if (!isStream(stream)) throw new ConfigError(NO_STREAM);
  // An error without a listener would end the process.
  stream.on('error', () => undefined);
  const destroy = (): void => void stream.destroy();
  if (typeof encrypted !== 'boolean') {
    destroy();
    throw new ConfigError(`${NO_STREAM}: encrypted must be true or false`);
  }
  if (signal.aborted) destroy();
  else signal.addEventListener('abort', destroy, { once: true });
  signal.throwIfAborted();
  return { stream, encrypted };
}

function isStream(value: unknown): value is Duplex {
  const given = Object(value) as Record<string, unknown>;
  return METHODS.every((method) => typeof given[method] === 'function');
}

async function connected(stream: Duplex): Promise<void> {
  const { connecting, pending } = stream as Partial<Socket>;
  if (connecting === true) await connectedSocket(stream);
  else if (pending === true && !stream.destroyed) {
    throw new ConfigError('dial returned a socket that is not connecting: call its connect() first');
  }
  if (stream.destroyed || !stream.readable || !stream.writable) throw closedWith(stream);
}

function connectedSocket(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('connect', resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(closedWith(stream)));
  });
}

function closedWith({ errored }: Duplex): Error {
  return errored ?? new Error('the stream that dial returned is closed');
}

/** The settings with which a client or a connection uses a stream. */
export function streamSettings(stream: Duplex): {
  readonly stream: () => Duplex;
  readonly keepAlive?: false;
} {
  const probes = typeof (stream as Partial<Socket>).setKeepAlive === 'function';
  return { stream: () => stream, ...(!probes && { keepAlive: false }) };
}

/** Makes an unconnected connection use a connected stream. Its options must contain the server name for TLS. */
export function useStream(connection: DriverConnection, stream: Duplex): void {
  const { connect } = connection;
  const { ref, unref } = stream as Partial<Socket>;
  connection.ref = () => void ref?.call(stream);
  connection.unref = () => void unref?.call(stream);
  connection.connect = (port) => {
    replaceStream(connection, connectedFor(connection, stream));
    // An address, because the driver would set a host name as the server name.
    connect.call(connection, port, '0.0.0.0');
    replaceStream(connection, stream);
  };
  // A peer that has ended its half sends nothing more.
  stream.once('end', () => stream.destroy());
  connection.once('sslconnect', () => connection.stream.once('close', () => stream.destroy()));
}

/** Calls back when a stream is closed; if TLS runs over it, after the error that may have closed it. */
function whenClosed(connection: DriverConnection, stream: Duplex, closed: () => void): void {
  stream.once('close', () => {
    if (connection.stream === stream) {
      closed();
      return;
    }
    connection.stream.destroy();
    setImmediate(closed);
  });
}

function replaceStream(connection: DriverConnection, stream: object): void {
  Object.assign(connection, { stream });
}

/** Stands in for the stream while the driver dials, sets TCP options, and waits for `connect`. */
function connectedFor(connection: DriverConnection, stream: Duplex): object {
  const { setNoDelay } = stream as Partial<Socket>;
  return {
    setNoDelay: (on: boolean) => void setNoDelay?.call(stream, on),
    connect: () => undefined,
    on: (event: string, listener: () => void) =>
      event === 'close' ? whenClosed(connection, stream, listener) : stream.on(event, listener),
    once(event: string, listener: (...args: unknown[]) => void) {
      if (event !== 'connect') stream.once(event, listener);
      // Emits the event that happened before the driver listened.
      else
        process.nextTick(() =>
          stream.destroyed ? connection.emit('error', closedWith(stream)) : listener(),
        );
    },
  };
}
