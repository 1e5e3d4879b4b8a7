import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';
/** How many ports after the default are tried: enough for several programs at a time. */
const MORE_PORTS = 20;

/** Where a server is to listen. */
export interface Place {
  /** 0 for any free port. */
  readonly port: number | undefined;
  /** The default if no port is given: this one, or the next free one. */
  readonly from: number;
  /** For the error text: the service, and the option for the port. */
  readonly serves: string;
  readonly option: string;
}

/** Listens on loopback and returns the origin; throws an error that names the port and the option when it cannot. */
export async function listenOnLoopback(server: Server, place: Place): Promise<string> {
  if (place.port === undefined) await listenFrom(server, place);
  else await listen(server, place.port, place);
  return `http://${HOST}:${(server.address() as AddressInfo).port}`;
}

async function listenFrom(server: Server, place: Place): Promise<void> {
  for (let port = place.from; port < place.from + MORE_PORTS; port += 1) {
    try {
      await listen(server, port, place);
      return;
    } catch (error) {
      const { code } = (error as { cause: NodeJS.ErrnoException }).cause;
      if (code !== 'EADDRINUSE') throw error;
    }
  }
  await listen(server, 0, place);
}

async function listen(server: Server, port: number, { serves, option }: Place): Promise<void> {
  server.listen(port, HOST);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const why =
      { EADDRINUSE: 'is taken', EACCES: 'is for privileged users' }[code] ?? `cannot be used (${message})`;
    throw new ListenError(
      `port ${port} on ${HOST}, where ${serves} was to be served, ${why}; give another with ${option} <n>, or 0 for any free one`,
      { cause },
    );
  }
}

/** A port cannot be used; the message is one readable line. */
export class ListenError extends Error {}
