import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { createCa, type CertificateAuthority } from './certificates.js';
import { CredentialStore } from './credentials.js';
import { startGate, type Gate } from './gate.js';
import { startPostgres, type LocalPostgres, type PostgresOptions, type ShutdownMode } from './postgres.js';

export { createCa } from './certificates.js';
export type { CertificateAuthority, CertificateRequest, IssuedCertificate } from './certificates.js';
export type { AccessKey, CredentialStore, TemporaryAccessKey, TemporaryKeyOptions } from './credentials.js';
export { startGate } from './gate.js';
export type { Gate, GateControls, GateOptions } from './gate.js';
export type { GateStats } from './gate-stats.js';
export { startImds } from './imds.js';
export type { Imds, ImdsFault, ImdsOptions } from './imds.js';
export { startPostgres } from './postgres.js';
export type { LocalPostgres, PostgresOptions, ShutdownMode } from './postgres.js';
export { verifyToken } from './sigv4.js';
export type { SecretKey, TokenExpectation, TokenVerdict } from './sigv4.js';

/** How {@link startLocalRds} sets the stand-in up. */
export interface LocalRdsOptions {
  /** Database; default `app`. */
  readonly database?: string;
  /** User who logs in with tokens; default `app`. */
  readonly user?: string;
  /** Region of the tokens; default `eu-central-1`. */
  readonly region?: string;
  /** Names a token may be signed for and the certificate holds; default `localhost`. */
  readonly advertisedHost?: string | readonly string[];
  /** Port a token must be signed for; default the port listened on. */
  readonly advertisedPort?: number;
  /** Address to listen on; default `127.0.0.1`. */
  readonly bindHost?: string;
  /** Port to listen on; default a free one. */
  readonly port?: number;
  /** TLS of the gate: `require` refuses unencrypted startups, `allow` does not, `off` has no TLS; default `require`. */
  readonly tls?: 'require' | 'allow' | 'off';
  /** The PostgreSQL behind the gate. */
  readonly postgres?: PostgresOptions;
}

const DEFAULTS = { database: 'app', user: 'app', region: 'eu-central-1', advertisedHost: 'localhost' };

/** Starts a stand-in for an RDS instance with IAM auth: PostgreSQL with the role `rds_iam`, and before it a TLS gate that verifies tokens. */
export async function startLocalRds(options: LocalRdsOptions = {}): Promise<LocalRds> {
  const ca = await createCa();
  const hosts = [options.advertisedHost ?? DEFAULTS.advertisedHost].flat();
  const certificate = await ca.issue({
    commonName: hosts[0] ?? DEFAULTS.advertisedHost,
    dnsNames: [...new Set([...hosts.filter((host) => !/^[\d.]+$|:/.test(host)), 'localhost'])],
    ipAddresses: ['127.0.0.1', '::1'],
  });
  const user = options.user ?? DEFAULTS.user;
  const database = options.database ?? DEFAULTS.database;
  const region = options.region ?? DEFAULTS.region;
  const credentials = new CredentialStore();
  const iamUsers = new Set<string>();
  const postgres = await startPostgres(options.postgres);
  let gate: Gate | undefined;
  try {
    gate = await startGate({
      backend: {
        socketPath: join(postgres.socketDir, `.s.PGSQL.${postgres.port}`),
        host: postgres.host,
        port: postgres.port,
      },
      ...(options.tls === 'off' ? {} : { tls: { cert: certificate.certPem, key: certificate.keyPem } }),
      requireTls: (options.tls ?? 'require') === 'require',
      ...(options.bindHost === undefined ? {} : { host: options.bindHost }),
      ...(options.port === undefined ? {} : { port: options.port }),
      ...(options.advertisedPort === undefined ? {} : { advertisedPort: options.advertisedPort }),
      advertisedHost: hosts,
      region,
      iamUsers: (name) => iamUsers.has(name),
      credentials: (accessKeyId, now) => credentials.find(accessKeyId, now),
    });
    // In the server's folder, which is removed however this process ends.
    const caFile = join(postgres.socketDir, 'rds-ca.pem');
    await writeFile(caFile, ca.certPem);
    await postgres.query('CREATE ROLE rds_iam');
    const rds = new LocalRds({ region, user, database, ca, caFile, postgres, gate, credentials, iamUsers });
    await rds.createUser(user);
    await postgres.query(
      `CREATE DATABASE ${pg.escapeIdentifier(database)} OWNER ${pg.escapeIdentifier(user)}`,
    );
    return rds;
  } catch (error) {
    gate?.close();
    await postgres.stop();
    throw error;
  }
}

interface Parts {
  readonly region: string;
  readonly user: string;
  readonly database: string;
  readonly ca: CertificateAuthority;
  readonly caFile: string;
  readonly postgres: LocalPostgres;
  readonly gate: Gate;
  readonly credentials: CredentialStore;
  readonly iamUsers: Set<string>;
}

/** A running stand-in. */
export class LocalRds {
  readonly region: string;
  /** Database that exists, owned by `user`. */
  readonly database: string;
  /** Member of `rds_iam`: logs in with tokens only. */
  readonly user: string;
  /** The authority that issued the gate's certificate, to issue more. */
  readonly ca: CertificateAuthority;
  /** The root certificate, PEM. */
  readonly caPem: string;
  /** Path of a file that holds the root certificate; removed at `stop()`. */
  readonly caFile: string;
  /** The access keys tokens are verified with. */
  readonly credentials: CredentialStore;
  /** The endpoint clients dial. */
  readonly gate: Gate;
  /** The server behind it. */
  readonly postgres: LocalPostgres;
  readonly #iamUsers: Set<string>;

  /** @internal */
  constructor(parts: Parts) {
    this.region = parts.region;
    this.database = parts.database;
    this.user = parts.user;
    this.ca = parts.ca;
    this.caPem = parts.ca.certPem;
    this.caFile = parts.caFile;
    this.credentials = parts.credentials;
    this.gate = parts.gate;
    this.postgres = parts.postgres;
    this.#iamUsers = parts.iamUsers;
  }

  /** Host name to dial. */
  get host(): string {
    return this.gate.host;
  }

  /** Port to dial. */
  get port(): number {
    return this.gate.port;
  }

  /** Environment that lets the AWS SDK sign with the long-lived key now in use. */
  get awsEnv(): { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string; AWS_REGION: string } {
    const { accessKeyId, secretAccessKey } = this.credentials.current;
    return {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: this.region,
    };
  }

  /** Creates a user who logs in with tokens, or, given a password, with that (SCRAM). */
  async createUser(name: string, { password }: { password?: string } = {}): Promise<void> {
    const role = pg.escapeIdentifier(name);
    if (password === undefined) {
      await this.postgres.query(`CREATE ROLE ${role} LOGIN; GRANT rds_iam TO ${role}`);
      this.#iamUsers.add(name);
    } else {
      await this.postgres.query(`CREATE ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
    }
  }

  /** Restarts the server; while it is down the gate refuses connections, as an instance that restarts does. */
  async restart({ mode = 'fast' }: { mode?: ShutdownMode } = {}): Promise<void> {
    this.gate.pause();
    await this.postgres.restart({ mode });
    await this.gate.resume();
  }

  /** Kills the server as a power cut would and refuses connections; `start()` brings it back. */
  async kill(): Promise<void> {
    this.gate.pause();
    this.gate.dropConnections();
    await this.postgres.kill();
  }

  /** Starts a killed server again, on the same port. */
  async start(): Promise<void> {
    await this.postgres.start();
    await this.gate.resume();
  }

  /** Closes the gate, stops the server and removes all files. */
  async stop(): Promise<void> {
    this.gate.close();
    await this.postgres.stop();
  }

  /** As `stop()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
