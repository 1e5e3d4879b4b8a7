import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accepts } from '../../support/listening.js';
import { ServerProcess } from '../../support/server-process.js';
import type { Node } from './node.js';
import type { Tools } from './tools.js';

/** Starts an HAProxy that routes to the primary according to Patroni, configured as in Patroni's documentation. */
export async function startHaproxy(
  folder: string,
  port: number,
  nodes: readonly Node[],
  postgresPort: number,
  { haproxy }: Tools,
): Promise<ServerProcess> {
  const file = join(folder, 'haproxy.cfg');
  const servers = nodes.map(
    ({ name, host, restPort }) =>
      `    server ${name} ${host}:${postgresPort} check port ${restPort} addr 127.0.0.1`,
  );
  await writeFile(
    file,
    `global
    maxconn 1000
defaults
    mode tcp
    timeout connect 4s
    timeout client 30m
    timeout server 30m
    timeout check 2s
listen primary
    bind 127.0.0.1:${port}
    option httpchk GET /primary
    http-check expect status 200
    default-server inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
${servers.join('\n')}
`,
  );
  const server = new ServerProcess('haproxy', { program: haproxy, args: ['-db', '-f', file] });
  await server.until(() => accepts({ host: '127.0.0.1', port }));
  return server;
}
