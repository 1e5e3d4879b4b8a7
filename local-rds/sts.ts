import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { CredentialStore, TemporaryAccessKey } from './credentials.js';
import { HttpStandIn, type Answer, type ListenOptions } from './http-stand-in.js';
import { findRequestFault } from './sigv4-request.js';
import { UNKNOWN_KEY } from './sigv4-signature.js';

/** A role that may be assumed. */
export interface StsRole {
  /** For example `arn:aws:iam::123456789012:role/app`. */
  readonly arn: string;
  /** The external ID that its trust policy requires; default none. */
  readonly externalId?: string;
}

/** Options of {@link startSts}. */
export interface StsOptions extends ListenOptions {
  /**
   * Holds the keys with which requests may be signed, and receives those of sessions. Use the store of a `LocalRds` so
   * that it accepts tokens signed with them.
   */
  readonly credentials: CredentialStore;
  /** The roles; default `arn:aws:iam::123456789012:role/local-rds`. */
  readonly roles?: readonly StsRole[];
  /** Region for which requests must be signed; default `eu-central-1`. */
  readonly region?: string;
}

/** A session that was issued. */
export interface AssumedRole {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly key: TemporaryAccessKey;
}

const VERSION = '2011-06-15';
const NAMESPACE = `https://sts.amazonaws.com/doc/${VERSION}/`;
const SIGNED = 'AssumeRole';
const BY_WEB_IDENTITY = 'AssumeRoleWithWebIdentity';
const COMMON = ['Action', 'Version', 'RoleArn', 'RoleSessionName', 'DurationSeconds'];
/** The parameters of each action. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  [SIGNED]: [...COMMON, 'ExternalId'],
  [BY_WEB_IDENTITY]: [...COMMON, 'WebIdentityToken'],
};
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
const SHORTEST_S = 900;
const LONGEST_S = 43_200;
const DEFAULT_S = '3600';

/** Starts a stand-in for AWS STS that supports assuming roles; use its `endpoint` as AWS_ENDPOINT_URL_STS. */
export async function startSts(options: StsOptions): Promise<Sts> {
  const sts = new Sts(options);
  await sts.listen();
  return sts;
}

/** A running STS. */
export class Sts extends HttpStandIn {
  readonly #region: string;
  readonly #credentials: CredentialStore;
  readonly #roles: readonly StsRole[];
  readonly #assumed: AssumedRole[] = [];
  /** The role that each web identity token may assume. */
  readonly #webIdentities = new Map<string, string>();
  #lifetimeMs: number | undefined;

  /** @internal */
  constructor(options: StsOptions) {
    super(options);
    this.#region = options.region ?? 'eu-central-1';
    this.#credentials = options.credentials;
    this.#roles = options.roles ?? [{ arn: 'arn:aws:iam::123456789012:role/local-rds' }];
  }

  /** The environment that points the AWS SDK here. */
  get env(): { AWS_ENDPOINT_URL_STS: string } {
    return { AWS_ENDPOINT_URL_STS: this.endpoint };
  }

  /** The sessions issued so far, in order. */
  get assumed(): readonly AssumedRole[] {
    return this.#assumed;
  }

  /** Sets the lifetime, in milliseconds, of sessions issued from now on; `undefined` for the requested one. */
  setSessionLifetime(lifetimeMs: number | undefined): void {
    this.#lifetimeMs = lifetimeMs;
  }

  /** Issues a web identity token that may assume this role, like those that Kubernetes writes to a file in a pod. */
  issueWebIdentity(roleArn: string): string {
    const token = ['header', 'claims', 'signature']
      .map(() => randomBytes(60).toString('base64url'))
      .join('.');
    this.#webIdentities.set(token, roleArn);
    return token;
  }

  /** Stops accepting a web identity token. */
  revokeWebIdentity(token: string): void {
    this.#webIdentities.delete(token);
  }

  protected answer(request: IncomingMessage, _url: URL, body: string): Answer {
    const parameters = new URLSearchParams(body);
    // The token replaces the signature, because a pod has no keys to sign with.
    const fault =
      parameters.get('Action') === BY_WEB_IDENTITY ? undefined : this.#findSignatureFault(request, body);
    if (fault !== undefined) {
      return refusal(403, fault === UNKNOWN_KEY ? 'InvalidClientTokenId' : 'SignatureDoesNotMatch', fault);
    }
    if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') {
      return refusal(400, 'MalformedQueryString', 'the content type is another');
    }
    return this.#assume(parameters);
  }

  #findSignatureFault(request: IncomingMessage, body: string): string | undefined {
    const now = new Date();
    const credentials = (accessKeyId: string) => this.#credentials.find(accessKeyId, now);
    const expected = { region: this.#region, service: 'sts', now, credentials };
    return findRequestFault(request, body, expected);
  }

  #assume(parameters: URLSearchParams): Answer {
    const get = (name: string): string => parameters.get(name) ?? '';
    const names = [...parameters.keys()];
    const action = get('Action');
    const known = Object.hasOwn(PARAMETERS, action) ? PARAMETERS[action] : undefined;
    if (known === undefined || get('Version') !== VERSION) {
      return refusal(400, 'InvalidAction', 'the action or its version is not known here');
    }
    if (new Set(names).size !== names.length || !names.every((name) => known.includes(name))) {
      return refusal(400, 'ValidationError', 'a parameter is unknown or is there twice');
    }
    const [roleArn, sessionName] = [get('RoleArn'), get('RoleSessionName')];
    const seconds = Number(parameters.get('DurationSeconds') ?? DEFAULT_S);
    if (!SESSION_NAME.test(sessionName)) return refusal(400, 'ValidationError', 'RoleSessionName is wrong');
    if (!Number.isInteger(seconds) || seconds < SHORTEST_S || seconds > LONGEST_S) {
      return refusal(400, 'ValidationError', 'DurationSeconds is wrong');
    }
    const refused =
      action === SIGNED
        ? this.#judgeRole(roleArn, get('ExternalId'))
        : this.#judgeToken(roleArn, get('WebIdentityToken'));
    if (refused !== undefined) return refused;
    const key = this.#credentials.issueTemporary({ lifetimeMs: this.#lifetimeMs ?? seconds * 1_000 });
    this.#assumed.push({ roleArn, sessionName, key });
    return xml(200, sessionXml(action, { roleArn, sessionName, key }));
  }

  #judgeRole(roleArn: string, externalId: string): Answer | undefined {
    const role = this.#roles.find(({ arn }) => arn === roleArn);
    return role && (role.externalId === undefined || role.externalId === externalId)
      ? undefined
      : notAuthorized(SIGNED);
  }

  #judgeToken(roleArn: string, token: string): Answer | undefined {
    const allowed = this.#webIdentities.get(token);
    if (allowed === undefined) return refusal(400, 'InvalidIdentityToken', 'the token is not known');
    return allowed === roleArn ? undefined : notAuthorized(BY_WEB_IDENTITY);
  }
}

function sessionXml(action: string, { roleArn, sessionName, key }: AssumedRole): string {
  const arn = `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${sessionName}`;
  return `<${action}Response xmlns="${NAMESPACE}">
  <${action}Result>
    <AssumedRoleUser>
      <AssumedRoleId>AROA${key.accessKeyId.slice(4)}:${sessionName}</AssumedRoleId>
      <Arn>${arn}</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>${key.accessKeyId}</AccessKeyId>
      <SecretAccessKey>${key.secretAccessKey}</SecretAccessKey>
      <SessionToken>${key.sessionToken}</SessionToken>
      <Expiration>${key.expiration.toISOString().replace(/\.\d+Z$/, 'Z')}</Expiration>
    </Credentials>
  </${action}Result>
  <ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>
</${action}Response>`;
}

function notAuthorized(action: string): Answer {
  return refusal(403, 'AccessDenied', `not authorized to perform: sts:${action} on this resource`);
}

function refusal(status: number, code: string, message: string): Answer {
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>`;
  return xml(
    status,
    `<ErrorResponse xmlns="${NAMESPACE}">${error}<RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );
}

function xml(status: number, body: string): Answer {
  return { status, body, headers: { 'content-type': 'text/xml' } };
}
