import { withTimeout } from '../deadline.js';
import { ConfigError } from '../errors.js';
import type { ConnectContext, ConnectTarget, IssuedLogin, TokenSource } from '../hooks.js';
import { checkedAnswer } from '../issued-login.js';
import { checkText } from '../settings/checks.js';
import { checkHost, checkPort, readConfig } from '../settings/config-checks.js';
import type { Config } from '../settings/config.js';
import { firstPlace, placesOf } from '../settings/hosts.js';
import type { LoginIssuer, LoginTarget } from './backend.js';
import { checkDynamicAuth, type ConfiguredBackend } from './backends.js';
import { requirePackages } from './packages.js';
import { reusing } from './reuse.js';

/** Limit for calls without their own deadline. */
const TIMEOUT_MS = 30_000;

/** Options of `newAuthToken` and `newDynamicAuthFunc`. */
export interface AuthOptions {
  /** Aborts the call, whose error then has the signal's reason as its cause; default none. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gets a fresh token for `user` at `config.host:config.port` or at the first of `config.hosts`, or `''` when
 * `dynamicAuth` is unset; gives up after 30 s. If the backend names another user for the login, only the hook of
 * `newDynamicAuthFunc` sets both. Throws ConfigError for invalid arguments, AuthError when no token can be issued.
 */
export async function newAuthToken(config: Config, user: string, options?: AuthOptions): Promise<string> {
  const fields = readConfig(config) as Config;
  const { dynamicAuth } = fields;
  const { host, port } = fields.hosts === undefined ? fields : firstPlace(fields);
  const auth = checkDynamicAuth(dynamicAuth);
  if (!auth) return '';
  const target = checkedTarget(host, port, user);
  checkSettings(auth);
  return await withTimeout(TIMEOUT_MS, options?.signal, async (signal) => {
    const issuer = await resolvedIssuer(auth, signal);
    return (await issuedLogin(issuer, target, signal)).password;
  });
}

/**
 * Returns a `beforeConnect` hook that signs a fresh token for `user` at the host and port that the target has when the
 * hook runs, and sets the target's user and password; the region is resolved once, now.
 * With a context, the context's pool measures the token and the context's signal aborts it; without one, the token is
 * not measured and is given up after 30 s. Throws ConfigError for invalid arguments, AuthError when there is no region.
 */
export async function newDynamicAuthFunc(
  config: Config,
  user: string,
  options?: AuthOptions,
): Promise<(target: ConnectTarget, context?: ConnectContext) => Promise<void>> {
  return tokenHook(await issuerFor(configuredAuth(config, user), options), user);
}

/** Options of the hook of a pool. */
export interface PoolAuthOptions extends AuthOptions {
  /** Aborted when the pool has ended, to give up fetches that no login waits for. */
  readonly ended?: AbortSignal;
}

/**
 * Like `newDynamicAuthFunc`, for one pool; also throws AuthError for a host of the config that can never get a token.
 */
export async function poolAuthFunc(
  config: Config,
  user: string,
  options?: PoolAuthOptions,
): Promise<(target: ConnectTarget, context?: ConnectContext) => Promise<void>> {
  const issuer = await issuerFor(configuredAuth(config, user), options);
  return tokenHook(accepting(issuer, config), user);
}

/** Like `poolAuthFunc`, but synchronous: throws ConfigError for a setting that must be looked up first. */
export function poolAuthFuncSync(
  config: Config,
  user: string,
  { ended }: Pick<PoolAuthOptions, 'ended'> = {},
): (target: ConnectTarget, context?: ConnectContext) => Promise<void> {
  const auth = configuredAuth(config, user);
  const unresolved = auth.backend.unresolved?.(auth.settings);
  if (unresolved !== undefined) {
    throw new ConfigError(
      `${auth.path}.${unresolved} has to be found out, which takes waiting: use newPool, or give the value itself`,
    );
  }
  const issuer = reusing(auth.backend.issuer(auth.settings), ended);
  return tokenHook(accepting(issuer, config), user);
}

/** Returns the issuer; throws if it does not accept every host of the config. */
function accepting(issuer: LoginIssuer, config: Config): LoginIssuer {
  for (const { host } of placesOf(config)) issuer.checkHost?.(host);
  return issuer;
}

function configuredAuth(config: Config, user: string): ConfiguredBackend {
  const auth = checkDynamicAuth(readConfig(config).dynamicAuth);
  if (!auth) throw new ConfigError('dynamic authentication is not configured');
  checkUser(user);
  checkSettings(auth);
  return auth;
}

async function issuerFor(
  auth: ConfiguredBackend,
  { signal: given, ended }: PoolAuthOptions = {},
): Promise<LoginIssuer> {
  return await withTimeout(TIMEOUT_MS, given, (signal) => resolvedIssuer(auth, signal, ended));
}

async function resolvedIssuer(
  { backend, settings }: ConfiguredBackend,
  signal: AbortSignal,
  ended?: AbortSignal,
): Promise<LoginIssuer> {
  return reusing(backend.issuer((await backend.resolve?.(settings, signal)) ?? settings), ended);
}

function tokenHook(
  issuer: LoginIssuer,
  user: string,
): (target: ConnectTarget, context?: ConnectContext) => Promise<void> {
  let login: LoginTarget | undefined;
  let { source } = issuer;
  return async (target, context) => {
    // Most attempts have the same target: check it only when it changes.
    if (target.host !== login?.host || target.port !== login.port) {
      login = checkedTarget(target.host, target.port, user);
      source = sourceFor(issuer, login);
    }
    const at = login;
    let issued: IssuedLogin | undefined;
    const refresh = async (signal: AbortSignal): Promise<string> => {
      issued = await issuedLogin(issuer, at, signal);
      return issued.password;
    };
    target.password = context
      ? await context.refreshToken(source, () => refresh(context.signal))
      : await withTimeout(TIMEOUT_MS, undefined, refresh);
    target.user = issued?.user ?? user;
    if (issued?.expiresAt) context?.passwordExpires?.(issued.expiresAt);
  };
}

async function issuedLogin(
  issuer: LoginIssuer,
  target: LoginTarget,
  signal: AbortSignal,
): Promise<IssuedLogin> {
  const answer = checkedAnswer(issuer.source, await issuer.issue(target, { signal }));
  return typeof answer === 'string' ? { password: answer } : answer;
}

/** Loads the packages that `dynamicAuth` needs; rejects with AuthError and the command that installs the missing ones. */
export async function checkDynamicAuthPackages(config: Config): Promise<void> {
  const auth = checkDynamicAuth(readConfig(config).dynamicAuth);
  if (auth) await requirePackages(auth.provider, auth.backend.packages(auth.settings));
}

/** Checks the settings like `validateConfig`, but keeps these two functions' established text for a missing setting. */
function checkSettings({ provider, backend, settings, path }: ConfiguredBackend): void {
  try {
    backend.check(settings, path);
  } catch (error) {
    const lacking = backend.incomplete?.(settings);
    if (lacking === undefined || !(error instanceof ConfigError)) throw error;
    throw new ConfigError(`dynamic auth (${provider}): ${lacking}: ${error.message}`);
  }
}

/** The source of the tokens for one target: its hint names the user and the server. */
function sourceFor(issuer: LoginIssuer, target: LoginTarget): TokenSource {
  const { source } = issuer;
  const hint = issuer.hint?.(target);
  const region = issuer.region?.(target);
  if (!hint && !region) return source;
  return Object.freeze({ ...source, ...(hint && { hint }), ...(region && { region }) });
}

function checkedTarget(host: unknown, port: unknown, user: unknown): LoginTarget {
  checkHost(host, 'host');
  checkPort(port, 'port');
  checkUser(user);
  return { host, port, user };
}

function checkUser(user: unknown): asserts user is string {
  if (user === undefined || user === null || user === '') throw new ConfigError('user is required');
  checkText(user, 'user');
}
