/** Verifies the passwords of some roles instead of PostgreSQL. */
export interface LoginVerifier {
  /** The reason why this user's password is rejected at `now`, without any part of it; `undefined` if accepted. */
  judge(password: string, user: string, now: Date): string | undefined;
  /** The error with which a server of this kind rejects a login. */
  refusal(user: string, reason: string): ServerFailure;
}

/** An error that ends a session. */
export interface ServerFailure {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
}
