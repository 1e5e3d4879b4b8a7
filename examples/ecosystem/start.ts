// npm start kysely: starts a server, migrates its database, and runs an example on it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startServer, type Server } from './server.js';

const mainOf = (name: string): string => join(import.meta.dirname, name, 'main.ts');

async function run({ env }: Server, name: string): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', mainOf(name)], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    stdio: 'inherit',
  });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGTERM', pass).on('SIGINT', pass);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGTERM', pass).off('SIGINT', pass);
  if (code !== 0) throw new Error(`${name} exited with ${code ?? 'a signal'}`);
}

const [name = ''] = process.argv.slice(2);
if (name === '' || !existsSync(mainOf(name)))
  throw new Error('say the folder of an example: npm start kysely');
await using server = await startServer();
await run(server, 'node-pg-migrate');
if (name !== 'node-pg-migrate') await run(server, name);
