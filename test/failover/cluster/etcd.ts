import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { answers, ServerProcess } from '../../support/server-process.js';
import type { Tools } from './tools.js';

/** Starts a single-member etcd; it stores which node is the leader. */
export async function startEtcd(
  folder: string,
  [clientPort, peerPort]: readonly [number, number],
  { etcd }: Tools,
): Promise<ServerProcess> {
  const data = join(folder, 'etcd');
  await mkdir(data, { mode: 0o700 });
  const [client, peer] = [`http://127.0.0.1:${clientPort}`, `http://127.0.0.1:${peerPort}`];
  const server = new ServerProcess('etcd', {
    program: etcd,
    args: [
      ...['--name', 'etcd', '--data-dir', data, '--unsafe-no-fsync'],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', `etcd=${peer}`, '--logger', 'zap', '--enable-v2'],
    ],
  });
  await server.until(() => answers(`${client}/health`));
  return server;
}
