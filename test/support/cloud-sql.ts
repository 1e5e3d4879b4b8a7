import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPublicKey, webcrypto } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { createCa, type CertificateAuthority } from '../../local-rds/index.js';

const PROJECT = 'shop-project';
const NAME = 'orders';
const REGION = 'europe-west1';
/** The port at which the connector dials an instance, whatever the Admin API returns. */
const INSTANCE_PORT = 3307;
const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Stands in for the Cloud SQL Admin API and one instance, which requires TLS with a client certificate of that API. */
export class CloudSql {
  /** The instance connection name. */
  readonly instance = `${PROJECT}:${REGION}:${NAME}`;
  readonly accessToken = 'an-access-token';
  /** Cumulative: connections that the instance has accepted. */
  accepted = 0;
  /** Cumulative: the requests to the Admin API. */
  readonly requests: string[] = [];
  readonly #api: Server;
  #instance: TlsServer | undefined;

  private constructor(
    private readonly serverCa: CertificateAuthority,
    private readonly clientCa: x509.X509Certificate,
    private readonly clientKey: webcrypto.CryptoKey,
  ) {
    this.#api = createServer((request, response) => {
      void this.#answer(request).then(([status, body]) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
  }

  /** Listens on 127.0.0.1 and forwards to a PostgreSQL at `socketPath`. */
  static async start(socketPath: string): Promise<CloudSql> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const clientCa = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=clients',
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    });
    const cloud = new CloudSql(await createCa(), clientCa, keys.privateKey);
    await cloud.#listen(socketPath);
    return cloud;
  }

  /** The endpoint of the Admin API. */
  get endpoint(): string {
    return `http://127.0.0.1:${(this.#api.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#api.close();
    this.#instance?.close();
  }

  async #listen(socketPath: string): Promise<void> {
    const { certPem, keyPem } = await this.serverCa.issue({ commonName: `${PROJECT}:${NAME}` });
    this.#instance = createTlsServer(
      {
        ...{ cert: certPem, key: keyPem, minVersion: 'TLSv1.3' },
        ...{ ca: this.clientCa.toString('pem'), requestCert: true, rejectUnauthorized: true },
      },
      (socket) => {
        this.accepted += 1;
        const backend = connect(socketPath);
        for (const end of [socket, backend]) end.on('error', () => undefined);
        socket.pipe(backend).pipe(socket);
        socket.once('close', () => backend.destroy());
        backend.once('close', () => socket.destroy());
      },
    );
    const listening = [
      new Promise<void>((resolve) => this.#api.listen(0, '127.0.0.1', resolve)),
      new Promise<void>((resolve, reject) => {
        this.#instance?.once('error', reject).listen(INSTANCE_PORT, '127.0.0.1', resolve);
      }),
    ];
    await Promise.all(listening);
  }

  async #answer(request: IncomingMessage): Promise<[number, object]> {
    const line = `${request.method ?? ''} ${request.url ?? ''}`;
    this.requests.push(line);
    if (request.headers.authorization !== `Bearer ${this.accessToken}`) return [401, {}];
    const path = `/sql/v1beta4/projects/${PROJECT}/instances/${NAME}`;
    if (line === `GET ${path}/connectSettings`) return [200, this.#settings()];
    if (line === `POST ${path}:generateEphemeralCert`) {
      const body = JSON.parse(await textOf(request)) as { public_key: string };
      return [200, { ephemeralCert: { cert: await this.#certify(body.public_key) } }];
    }
    return [404, {}];
  }

  #settings(): object {
    return {
      region: REGION,
      ipAddresses: [{ type: 'PRIMARY', ipAddress: '127.0.0.1' }],
      serverCaCert: {
        cert: this.serverCa.certPem,
        expirationTime: new Date(Date.now() + 365 * DAY_MS).toISOString(),
      },
    };
  }

  async #certify(publicKey: string): Promise<string> {
    const spki = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
    const certificate = await x509.X509CertificateGenerator.create({
      subject: 'CN=client',
      issuer: this.clientCa.subjectName,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS / 24),
      signingAlgorithm: ALGORITHM,
      publicKey: new x509.PublicKey(new Uint8Array(spki)),
      signingKey: this.clientKey,
    });
    return certificate.toString('pem');
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
