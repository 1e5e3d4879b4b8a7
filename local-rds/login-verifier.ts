/** Verifies the passwords of some roles in the place of PostgreSQL. */
export interface LoginVerifier {
  /** Why a password is refused for this user at `now`, holding no part of it; undefined when it is accepted. */
  judge(password: string, user: string, now: Date): string | undefined;
  /** The error a server of this kind answers a refused login with. */
  refusal(user: string, reason: string): ServerFailure;
}

/** An error that ends a session. */
export interface ServerFailure {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
}
