import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import winston from 'winston';
import { newPool, type Logger } from '../../src/index.js';
import { usePostgres } from '../support/servers.js';

const server = usePostgres();

test('a logger that takes the message first gets message and fields with the wrapper in the guide', async () => {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = winston.createLogger({
    level: 'debug',
    format: winston.format.json(),
    // Its types come from two packages that are not compatible.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    transports: [new winston.transports.Stream({ stream })],
  });
  const logger: Logger = {
    debug: (fields, message) => log.debug(message, fields),
    info: (fields, message) => log.info(message, fields),
    warn: (fields, message) => log.warn(message, fields),
  };
  const { host, port, user, password, database } = server();
  const pool = await newPool(
    { host, port, user, password, database, sslMode: 'disable' },
    { logger, poolName: 'turned' },
  );
  const client = await pool.connect();
  await client.query('begin');
  client.release();
  await pool.end();
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(records).toContainEqual(
    expect.objectContaining({ level: 'debug', message: 'postgres connection opened', pool: 'turned' }),
  );
  expect(records).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      message: 'postgres client released in a transaction',
      reason: 'tx_open',
    }),
  );
  expect(records).toContainEqual(
    expect.objectContaining({ level: 'info', message: 'postgres connection pool ended', pool: 'turned' }),
  );
  expect(lines.join('')).not.toContain(password);
});
