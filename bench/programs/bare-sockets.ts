// The minimal cost of a login: a socket, the TLS handshake, and a clear-text password over it; no driver, no pool.
import { once } from 'node:events';
import { connect } from 'node:net';
import * as tls from 'node:tls';

/** The server and user of a login. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string;
  readonly secureContext: tls.SecureContext;
}

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const PROTOCOL_3 = 196_608;
const CLEAR_TEXT = 3;

/** Resolves with the socket once the server is ready for a query. */
export async function logIn(login: Login): Promise<tls.TLSSocket> {
  const { host, port, secureContext } = login;
  const plain = connect({ host, port, noDelay: true });
  await once(plain, 'connect');
  plain.write(SSL_REQUEST);
  const [answer] = (await once(plain, 'data')) as [Buffer];
  if (answer.toString() !== 'S') throw new Error('the server refuses TLS');
  const socket = tls.connect({ socket: plain, host, secureContext });
  await once(socket, 'secureConnect');
  await answered(socket, login);
  return socket;
}

function answered(socket: tls.TLSSocket, { user, database, password }: Login): Promise<void> {
  return new Promise((resolve, reject) => {
    let rest: Buffer = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (data: Buffer) => {
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
        const length = 1 + rest.readUInt32BE(1);
        const message = rest.subarray(0, length);
        rest = rest.subarray(length);
        const type = String.fromCharCode(message[0] ?? 0);
        if (type === 'R' && message.readUInt32BE(5) === CLEAR_TEXT) socket.write(passwordMessage(password));
        else if (type === 'E')
          reject(new Error(`the server rejects the login: ${message.toString('latin1', 5)}`));
        else if (type === 'Z') resolve();
      }
    });
    socket.write(startupMessage(user, database));
  });
}

function startupMessage(user: string, database: string): Buffer {
  const body = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(head.length + body.length);
  head.writeUInt32BE(PROTOCOL_3, 4);
  return Buffer.concat([head, body]);
}

function passwordMessage(password: string): Buffer {
  const body = Buffer.from(`${password}\0`);
  const head = Buffer.alloc(5);
  head.write('p');
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}
