import { property } from '../../../foreign-error.js';

/** The claims of an Entra ID token, whose signature is not verified. */
export interface EntraClaims {
  /** Name of the principal, if the token contains it: that of a managed identity's resource, or of a user. */
  readonly name: string | undefined;
  readonly kind: 'managed identity' | 'user' | 'service principal';
  /** Client id of the application. */
  readonly clientId: string | undefined;
}

/** Reads the claims of a token; undefined when it is not a JWT. */
export function readClaims(token: string): EntraClaims | undefined {
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  } catch {
    return undefined;
  }
  const claim = (...names: string[]): string | undefined =>
    names
      .map((name) => property(claims, name))
      .find((value) => typeof value === 'string' && /^[ -~]{1,300}$/.test(value)) as string | undefined;
  const clientId = claim('appid', 'azp');
  const resource = claim('xms_mirid');
  if (resource !== undefined) return { kind: 'managed identity', name: resource.split('/').at(-1), clientId };
  const name = claim('upn', 'preferred_username', 'unique_name');
  return name === undefined
    ? { kind: 'service principal', name, clientId }
    : { kind: 'user', name, clientId };
}
