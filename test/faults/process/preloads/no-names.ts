import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

// Loaded before a program: no name server answers, and the program prints at exit which names it looked up.
const asked: string[] = [];

dns.lookup = ((host: string, _options: unknown, done: (error: NodeJS.ErrnoException) => void) => {
  asked.push(host);
  const facts = { errno: -3001, code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname: host };
  process.nextTick(done, Object.assign(new Error(`getaddrinfo EAI_AGAIN ${host}`), facts));
}) as typeof dns.lookup;
syncBuiltinESMExports();
process.on('exit', () => {
  if (asked.length > 0) process.stderr.write(`asked: ${asked.join(', ')}\n`);
});
