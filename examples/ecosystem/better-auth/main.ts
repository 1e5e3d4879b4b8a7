import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { newPool } from 'pgauge';
import { config } from '../config.js';

// Better Auth's tables are in a separate schema.
const pool = await newPool(
  { ...config, maxOpenConns: 5 },
  { queryTelemetry: true, pg: { options: '-c search_path=auth' } },
);
await pool.query('create schema auth');
const auth = betterAuth({
  database: pool,
  secret: 'a secret of this example alone, which is long enough',
  baseURL: 'http://localhost:3000',
  emailAndPassword: { enabled: true },
  // Silences the warning about the wrong password below.
  logger: { disabled: true },
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();

const users = Array.from({ length: 5 }, (_, n) => ({
  name: `User ${n}`,
  email: `user-${n}@example.com`,
  password: `the password of user ${n}`,
}));
await Promise.all(users.map((body) => auth.api.signUpEmail({ body })));
const sessions = await Promise.all(users.map((body) => auth.api.signInEmail({ body })));
const refused = await auth.api.signInEmail({ body: { email: 'user-0@example.com', password: 'wrong' } }).then(
  () => undefined,
  (error: unknown) => (error as { status?: unknown }).status,
);
console.log(JSON.stringify({ signedIn: sessions.map(({ user }) => user.email), refused, stat: pool.stat() }));
await pool.end();
