import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type DetailedPeerCertificate } from 'node:tls';

// Eight bytes: the length, then the number that stands for the request.
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** The result of a handshake, whether or not the server can be trusted. */
export interface Handshake {
  readonly protocol: string;
  readonly cipher: string;
  /** The server's certificate, then its known issuers. */
  readonly chain: readonly DetailedPeerCertificate[];
  /** Why the server is not trusted, by Node's code; undefined when it is. */
  readonly problem: string | undefined;
}

/** The server did not accept the request for TLS. */
export class NoTlsError extends Error {
  constructor(
    /** `no`: no TLS; `error`: an error report; `other`: not PostgreSQL's protocol; `closed`: a closed connection. */
    readonly answer: 'no' | 'error' | 'other' | 'closed',
  ) {
    super(`the server answered the request for TLS with ${answer}`);
  }
}

/**
 * Requests TLS from a PostgreSQL server and performs the handshake with any certificate, reporting whether it is
 * trusted; rejects with NoTlsError, the socket's error, or the signal's reason.
 */
export async function shakeHands(
  { address, host, port }: { readonly address: string; readonly host: string; readonly port: number },
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<Handshake> {
  const socket = connectTcp({ host: address, port });
  const giveUp = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', giveUp);
  try {
    const answer = await request(socket);
    if (answer !== 'S') throw new NoTlsError(meaningOf(answer));
    return await inspect(socket, {
      // Like the driver: the host name, never an address.
      ...(isIP(host) === 0 && { servername: host }),
      ...options,
    });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}

function meaningOf(answer: string): NoTlsError['answer'] {
  if (answer === '') return 'closed';
  if (answer === 'N') return 'no';
  return answer.startsWith('E') ? 'error' : 'other';
}

/** The answer, `''` when there is none. */
function request(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => socket.write(SSL_REQUEST));
    socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
    socket.once('close', () => resolve(''));
  });
}

function inspect(socket: Socket, options: ConnectionOptions): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const secured = connectTls({ ...options, socket, rejectUnauthorized: false });
    secured.once('error', reject);
    socket.once('close', () => reject(new NoTlsError('closed')));
    secured.once('secureConnect', () => {
      // Declared as an error, but in fact the code, if any.
      const problem = secured.authorizationError as unknown;
      resolve({
        protocol: secured.getProtocol() ?? 'unknown',
        cipher: secured.getCipher().name,
        chain: chainOf(secured.getPeerCertificate(true)),
        problem: secured.authorized ? undefined : typeof problem === 'string' ? problem : 'UNKNOWN',
      });
      secured.destroy();
    });
  });
}

function chainOf(certificate: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  // Declared as always set, but the issuer is missing if unknown, and everything is if the server sent no certificate.
  let next = certificate as Partial<DetailedPeerCertificate> | undefined;
  while (next?.subject !== undefined) {
    const known = next as DetailedPeerCertificate;
    // A root is its own issuer.
    if (chain.includes(known)) break;
    chain.push(known);
    next = next.issuerCertificate;
  }
  return chain;
}
