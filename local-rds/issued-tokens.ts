import type { LoginVerifier, ServerFailure } from './login-verifier.js';

/** A token that a stand-in handed out. */
export interface IssuedToken {
  readonly value: string;
  /** Who it says its bearer is. */
  readonly identity: string;
  /** What it may be used for: scopes or resources. */
  readonly audience: readonly string[];
  readonly expiresAt: Date;
}

/** What a verifier demands of a token. */
export interface TokenDemand {
  readonly audience: string;
  /** The role that an identity may log in as. */
  roleOf(identity: string): string;
  /** The error for a refused login. */
  refusal(user: string, reason: string): ServerFailure;
}

/** The tokens that one stand-in has handed out. */
export class IssuedTokens {
  readonly #tokens = new Map<string, IssuedToken>();
  /** How much longer than they say tokens are accepted, in milliseconds. */
  graceMs = 0;
  /** Every token that was ever handed out. */
  readonly values: string[] = [];

  /** Accepts a token from now on, until its end. */
  add(token: IssuedToken): IssuedToken {
    this.#tokens.set(token.value, token);
    this.values.push(token.value);
    return token;
  }

  /** Accepts none of the tokens handed out so far. */
  revoke(): void {
    this.#tokens.clear();
  }

  /** A verifier of logins that takes these tokens for passwords. */
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
