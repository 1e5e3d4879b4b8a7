import { connect, createServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { utils, Client, Server } from 'ssh2';
import type { Endpoint } from './pools.js';

/** An SSH server on 127.0.0.1 that forwards to the addresses its own resolver returns. */
export class Bastion {
  /** The names and ports that clients requested, oldest first. */
  readonly asked: string[] = [];
  readonly #server: Server;

  constructor(resolve: (name: string) => Endpoint | undefined) {
    const { private: key } = utils.generateKeyPairSync('ed25519');
    this.#server = new Server({ hostKeys: [key] }, (client) => {
      client.on('error', () => undefined);
      client.on('authentication', (attempt) => {
        attempt.accept();
      });
      client.on('ready', () => {
        client.on('tcpip', (accept, reject, { destIP, destPort }) => {
          this.asked.push(`${destIP}:${destPort}`);
          const to = resolve(destIP);
          if (to === undefined) {
            reject();
            return;
          }
          const socket = connect(to.port, to.host, () => {
            const channel = accept();
            channel.on('error', () => socket.destroy());
            channel.pipe(socket).pipe(channel);
            channel.once('close', () => socket.destroy());
          });
          socket.on('error', () => undefined);
        });
      });
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** Returns a connected client. */
  async client(): Promise<Client> {
    const client = new Client();
    const { port } = this.#server.address() as AddressInfo;
    await new Promise<unknown>((resolve, reject) => {
      client.once('ready', () => resolve(undefined)).once('error', reject);
      client.connect({ host: '127.0.0.1', port, username: 'tunnel', password: 'any' });
    });
    return client;
  }

  close(): void {
    this.#server.close();
  }
}

/** Forwards a port, by default a free one on 127.0.0.1, as an SSM session does. */
export async function forward(
  to: Endpoint,
  host = '127.0.0.1',
  port = 0,
): Promise<{ readonly port: number; close(): void }> {
  const server: TcpServer = createServer((socket) => {
    const remote = connect(to.port, to.host);
    for (const end of [socket, remote]) end.on('error', () => undefined);
    socket.pipe(remote).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
