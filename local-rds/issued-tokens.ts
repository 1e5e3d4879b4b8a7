import type { LoginVerifier, ServerFailure } from './login-verifier.js';

/** A token issued by a stand-in. */
export interface IssuedToken {
  readonly value: string;
  /** The identity of its bearer. */
  readonly identity: string;
  /** The scopes or resources it is valid for. */
  readonly audience: readonly string[];
  readonly expiresAt: Date;
}

/** A verifier's requirements for a token. */
export interface TokenDemand {
  readonly audience: string;
  /** The role as which an identity may log in. */
  roleOf(identity: string): string;
  /** The error for a refused login. */
  refusal(user: string, reason: string): ServerFailure;
}

/** The tokens that one stand-in has issued. */
export class IssuedTokens {
  readonly #tokens = new Map<string, IssuedToken>();
  /** How long tokens are accepted after their expiry, in milliseconds. */
  graceMs = 0;
  /** All tokens ever issued. */
  readonly values: string[] = [];

  /** Accepts a token from now until it expires. */
  add(token: IssuedToken): IssuedToken {
    this.#tokens.set(token.value, token);
    this.values.push(token.value);
    return token;
  }

  /** Stops accepting the tokens issued so far. */
  revoke(): void {
    this.#tokens.clear();
  }

  /** A verifier that accepts these tokens as passwords. */
  verifier({ audience, roleOf, refusal }: TokenDemand): LoginVerifier {
    return {
      refusal,
      judge: (password, user, now) => {
        const token = this.#tokens.get(password);
        if (!token) return 'not a token of this issuer';
        if (token.expiresAt.getTime() + this.graceMs <= now.getTime()) return 'the token has expired';
        if (!token.audience.includes(audience)) return 'the token is for something else';
        return roleOf(token.identity) === user ? undefined : 'the token is of another identity';
      },
    };
  }
}
