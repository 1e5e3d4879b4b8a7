import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { CertificateAuthority } from './certificates.js';
import type { CredentialStore } from './credentials.js';
import { awsEnvOf, startEndpoint, type Endpoint, type EndpointOptions } from './endpoint.js';
import type { Gate } from './gate.js';
import type { LoginVerifier } from './login-verifier.js';
import { startPostgres, type LocalPostgres, type PostgresOptions, type ShutdownMode } from './postgres.js';

export { createCa } from './certificates.js';
export type { CertificateAuthority, CertificateRequest, IssuedCertificate } from './certificates.js';
export type { AccessKey, CredentialStore, TemporaryAccessKey, TemporaryKeyOptions } from './credentials.js';
export { dsqlVerifier } from './dsql.js';
export type { DsqlOptions } from './dsql.js';
export { startGate } from './gate.js';
export type { Gate, GateControls, GateOptions } from './gate.js';
export type { GateStats } from './gate-stats.js';
export { startAzureIdentity } from './azure-identity.js';
export type { AzureIdentityOptions, AzureManagedIdentity, ManagedIdentity } from './azure-identity.js';
export { startGcpMetadata } from './gcp-metadata.js';
export type { GcpMetadata, GcpMetadataOptions } from './gcp-metadata.js';
export type { HttpFault, ListenOptions } from './http-stand-in.js';
export { IssuedTokens } from './issued-tokens.js';
export type { IssuedToken, TokenDemand } from './issued-tokens.js';
export { startImds } from './imds.js';
export type { Imds, ImdsOptions } from './imds.js';
export type { LoginVerifier, ServerFailure } from './login-verifier.js';
export { startPostgres } from './postgres.js';
export type { LocalPostgres, PostgresOptions, ShutdownMode } from './postgres.js';
export { verifyToken } from './sigv4.js';
export type { TokenExpectation, TokenVerdict } from './sigv4.js';
export type { SecretKey } from './sigv4-signature.js';
export { startSecretsManager } from './secrets-manager.js';
export type { SecretValue, SecretsManager, SecretsManagerOptions } from './secrets-manager.js';
export { startSts } from './sts.js';
export type { AssumedRole, Sts, StsOptions, StsRole } from './sts.js';
export { startVault } from './vault.js';
export type { Vault, VaultOptions } from './vault.js';

/** Options of {@link startLocalRds}. */
export interface LocalRdsOptions extends EndpointOptions {
  /** The PostgreSQL behind the gate. */
  readonly postgres?: PostgresOptions;
}

/**
 * Starts a stand-in for an RDS instance with IAM auth: PostgreSQL with the role `rds_iam`, behind a TLS gate that
 * verifies tokens.
 */
export async function startLocalRds(options: LocalRdsOptions = {}): Promise<LocalRds> {
  const postgres = await startPostgres(options.postgres);
  let endpoint: Endpoint | undefined;
  try {
    endpoint = await startEndpoint(options, {
      socketPath: join(postgres.socketDir, `.s.PGSQL.${postgres.port}`),
      host: postgres.host,
      port: postgres.port,
    });
    const { user, database } = endpoint;
    // In the server's folder, which is always removed, even if this process is killed.
    const caFile = join(postgres.socketDir, 'rds-ca.pem');
    await writeFile(caFile, endpoint.ca.certPem);
    await postgres.query('CREATE ROLE rds_iam');
    const rds = new LocalRds({ ...endpoint, caFile, postgres });
    await rds.createUser(user);
    await postgres.query(
      `CREATE DATABASE ${pg.escapeIdentifier(database)} OWNER ${pg.escapeIdentifier(user)}`,
    );
    return rds;
  } catch (error) {
    endpoint?.gate.close();
    await postgres.stop();
    throw error;
  }
}

interface Parts extends Endpoint {
  readonly caFile: string;
  readonly postgres: LocalPostgres;
}

/** A running stand-in. */
export class LocalRds {
  readonly region: string;
  /** The application's database, owned by `user`. */
  readonly database: string;
  /** A member of `rds_iam`, who logs in with tokens only. */
  readonly user: string;
  /** The authority that issued the gate's certificate and can issue more. */
  readonly ca: CertificateAuthority;
  /** The root certificate, PEM. */
  readonly caPem: string;
  /** Path of a file with the root certificate; removed by `stop()`. */
  readonly caFile: string;
  /** The access keys for verifying tokens. */
  readonly credentials: CredentialStore;
  /** The endpoint that clients dial. */
  readonly gate: Gate;
  /** The server behind the gate. */
  readonly postgres: LocalPostgres;
  readonly #iamUsers: Set<string>;
  readonly #verifiers: Map<string, LoginVerifier>;

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
    this.#verifiers = parts.verifiers;
  }

  /** Host name to dial. */
  get host(): string {
    return this.gate.host;
  }

  /** Port to dial. */
  get port(): number {
    return this.gate.port;
  }

  /** The environment in which the AWS SDK signs with the current long-lived key. */
  get awsEnv(): { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string; AWS_REGION: string } {
    return awsEnvOf(this);
  }

  /** Creates a user who logs in with RDS IAM tokens, a password (SCRAM), or credentials that a verifier accepts. */
  async createUser(
    name: string,
    { password, verifier }: { password?: string; verifier?: LoginVerifier } = {},
  ): Promise<void> {
    const role = pg.escapeIdentifier(name);
    if (verifier) {
      await this.postgres.query(`CREATE ROLE ${role} LOGIN`);
      this.#verifiers.set(name, verifier);
    } else if (password === undefined) {
      await this.postgres.query(`CREATE ROLE ${role} LOGIN; GRANT rds_iam TO ${role}`);
      this.#iamUsers.add(name);
    } else {
      await this.postgres.query(`CREATE ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
    }
  }

  /** Restarts the server; meanwhile the gate refuses connections, like a restarting RDS instance. */
  async restart({ mode = 'fast' }: { mode?: ShutdownMode } = {}): Promise<void> {
    this.gate.pause();
    await this.postgres.restart({ mode });
    await this.gate.resume();
  }

  /** Kills the server, like a power cut, and refuses connections until `start()`. */
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

  /** Calls `stop()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
