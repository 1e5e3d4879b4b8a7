import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { CredentialStore } from './credentials.js';
import { HttpStandIn, type Answer, type ListenOptions } from './http-stand-in.js';
import { findRequestFault } from './sigv4-request.js';
import { UNKNOWN_KEY } from './sigv4-signature.js';

/** Options of {@link startSecretsManager}. */
export interface SecretsManagerOptions extends ListenOptions {
  /** Holds the keys with which requests may be signed. */
  readonly credentials: CredentialStore;
  /** Region for which requests must be signed; default `eu-central-1`. */
  readonly region?: string;
}

/** The value of a secret: text or bytes. */
export type SecretValue = string | Buffer;

const TARGET = 'secretsmanager.GetSecretValue';
const CONTENT_TYPE = 'application/x-amz-json-1.1';
const KEYS = ['SecretId', 'VersionId', 'VersionStage'];

/**
 * Starts a stand-in for AWS Secrets Manager that supports reading secrets; use its `endpoint` as
 * AWS_ENDPOINT_URL_SECRETS_MANAGER.
 */
export async function startSecretsManager(options: SecretsManagerOptions): Promise<SecretsManager> {
  const service = new SecretsManager(options);
  await service.listen();
  return service;
}

/** A running Secrets Manager. */
export class SecretsManager extends HttpStandIn {
  readonly #region: string;
  readonly #credentials: CredentialStore;
  readonly #secrets = new Map<string, { readonly value: SecretValue; readonly versionId: string }>();

  /** @internal */
  constructor(options: SecretsManagerOptions) {
    super(options);
    this.#region = options.region ?? 'eu-central-1';
    this.#credentials = options.credentials;
  }

  /** The environment that points the AWS SDK here. */
  get env(): { AWS_ENDPOINT_URL_SECRETS_MANAGER: string } {
    return { AWS_ENDPOINT_URL_SECRETS_MANAGER: this.endpoint };
  }

  /** The number of requests for a secret. */
  get reads(): number {
    return this.calls()['POST /'] ?? 0;
  }

  /** Sets the current value of a secret; an object is stored as JSON. Returns the ARN of the secret. */
  put(name: string, value: SecretValue | Readonly<Record<string, unknown>>): string {
    const stored = typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value);
    this.#secrets.set(name, { value: stored, versionId: randomUUID() });
    return this.#arn(name);
  }

  protected answer(request: IncomingMessage, _url: URL, body: string): Answer {
    const now = new Date();
    const credentials = (accessKeyId: string) => this.#credentials.find(accessKeyId, now);
    const expected = { region: this.#region, service: 'secretsmanager', now, credentials };
    const fault = findRequestFault(request, body, expected);
    if (fault !== undefined) {
      return refusal(
        fault === UNKNOWN_KEY ? 'UnrecognizedClientException' : 'InvalidSignatureException',
        fault,
      );
    }
    if (request.headers['content-type'] !== CONTENT_TYPE)
      return refusal('SerializationException', 'the content type is another');
    if (request.headers['x-amz-target'] !== TARGET)
      return refusal('UnknownOperationException', 'the target is another');
    const asked = parse(body);
    const id = asked?.['SecretId'];
    if (!asked || typeof id !== 'string' || !Object.keys(asked).every((key) => KEYS.includes(key))) {
      return refusal('SerializationException', 'the body is not that of a GetSecretValue');
    }
    return this.#read(id);
  }

  #read(id: string): Answer {
    const found = [...this.#secrets].find(([name]) => name === id || this.#arn(name) === id);
    if (!found) {
      return refusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    const [name, { value, versionId }] = found;
    return json(200, {
      ARN: this.#arn(name),
      CreatedDate: Math.floor(Date.now() / 1_000),
      Name: name,
      ...(typeof value === 'string' ? { SecretString: value } : { SecretBinary: value.toString('base64') }),
      VersionId: versionId,
      VersionStages: ['AWSCURRENT'],
    });
  }

  #arn(name: string): string {
    return `arn:aws:secretsmanager:${this.#region}:123456789012:secret:${name}-AbCdEf`;
  }
}

function parse(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function refusal(type: string, message: string): Answer {
  return json(400, { __type: type, message });
}

function json(status: number, body: object): Answer {
  const headers = { 'content-type': CONTENT_TYPE, 'x-amzn-requestid': randomUUID() };
  return { status, body: JSON.stringify(body), headers };
}
