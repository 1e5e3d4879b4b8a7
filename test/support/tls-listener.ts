import { TLSSocket, createSecureContext } from 'node:tls';
import type { IssuedCertificate } from '../../local-rds/index.js';
import { fatal } from '../../local-rds/wire.js';
import { SSL_REQUEST, type FakeReply } from './fake-server.js';

/** The SQLSTATE with which {@link shakesHands} rejects every login: the server is starting up. */
export const AFTER_HANDSHAKE = '57P03';

/**
 * A reply that encrypts with this certificate, passes the server name that the client requested (SNI) to `onName`, and
 * rejects the login.
 */
export function shakesHands(
  { certPem, keyPem }: IssuedCertificate,
  onName: (servername: string | undefined) => void,
): FakeReply {
  const secureContext = createSecureContext({ cert: certPem, key: keyPem });
  return ({ socket }, piece) => {
    if (!piece.equals(SSL_REQUEST)) return;
    socket.removeAllListeners('data');
    socket.write('S');
    const secured = new TLSSocket(socket, { isServer: true, secureContext });
    secured.on('error', () => undefined);
    secured.once('secure', () => {
      const name = (secured as { servername?: unknown }).servername;
      onName(typeof name === 'string' ? name : undefined);
    });
    secured.once('data', () => secured.end(fatal(AFTER_HANDSHAKE, 'starting up')));
  };
}
