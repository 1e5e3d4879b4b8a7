// Pollutes Object.prototype with every name that a config, an option, the driver or TLS could read, and logs in.
const evil = {
  ...{ host: 'evil.invalid', port: 1, user: 'evil', password: 'evil', database: 'evil', sslMode: 'disable' },
  ...{ migrationUser: 'evil', migrationPassword: 'evil', maxOpenConns: 1, minConns: 1 },
  ...{ dynamicAuth: { awsRdsIam: { region: 'evil' } }, connMaxLifetimeMs: 1, poolName: 'evil' },
  ...{ acquireTimeoutMs: 1, connectTimeoutMs: 1, maxUses: 1, statsLog: true, keepAlive: false },
  ...{ beforeConnect: 'evil', afterConnect: 'evil', logger: 'evil', meter: 'evil', tracer: 'evil' },
  ...{ ssl: false, ca: 'evil', cert: 'evil', servername: 'evil.invalid', rejectUnauthorized: false },
  ...{ checkServerIdentity: () => undefined, minVersion: 'TLSv1' },
  ...{ connectionString: 'postgres://evil:evil@evil.invalid:1/evil', replication: 'database' },
  ...{ application_name: 'evil', options: '-c work_mem=1MB', sslnegotiation: 'direct', Client: 'evil' },
};
const [config, ca] = process.argv.slice(2);
const { newPool } = await import('../../../src/index.js');
const given = JSON.parse(config ?? '') as Parameters<typeof newPool>[0];
const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined };

for (const [key, value] of Object.entries(evil)) {
  Object.defineProperty(Object.prototype, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
const outcome = async (host: string): Promise<unknown> => {
  const pool = await newPool({ ...given, host }, { logger, ssl: { ca: ca ?? '' } });
  try {
    const { rows } = await pool.query(
      `select current_user as user, current_database() as database, ssl, current_setting('application_name') as name,
              current_setting('work_mem') as memory
         from pg_stat_ssl where pid = pg_backend_pid()`,
    );
    return { rows: rows as unknown, max: pool.stat().maxConns };
  } catch (error) {
    return (error as { code?: string }).code;
  } finally {
    await pool.end();
  }
};
const outcomes = [await outcome('localhost'), await outcome('127.0.0.1')];
for (const key of Object.keys(evil)) Reflect.deleteProperty(Object.prototype, key);
console.log(JSON.stringify(outcomes));
