import { stringify } from 'yaml';

/** The users of the cluster; their passwords are used nowhere else. */
export const USERS = {
  superuser: { username: 'postgres', password: 'superuser-of-the-test' },
  replication: { username: 'replicator', password: 'replicator-of-the-test' },
  rewind: { username: 'rewinder', password: 'rewinder-of-the-test' },
  app: { username: 'app', password: 'app-of-the-test' },
} as const;

/** The addresses on which one node listens, and those by which the others reach it. */
export interface NodeAddresses {
  readonly name: string;
  readonly folder: string;
  readonly postgresBin: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly listen: { readonly postgres: number; readonly rest: number };
  readonly reached: { readonly postgres: string; readonly rest: string };
  /** The node's own path to etcd. */
  readonly etcd: string;
}

const HBA = [
  'local all all scram-sha-256',
  'hostssl all all 127.0.0.0/8 scram-sha-256',
  'hostssl replication replicator 127.0.0.0/8 scram-sha-256',
];

/** A node's Patroni configuration: synchronous replication, and a lost leader is replaced after 20 s. */
export function patroniConfig(node: NodeAddresses): string {
  const { superuser, replication, rewind } = USERS;
  return stringify({
    scope: 'failover',
    name: node.name,
    restapi: { listen: `127.0.0.1:${node.listen.rest}`, connect_address: node.reached.rest },
    // Use version 2 of etcd's API: with version 3, a leader with Patroni 3.0 that was frozen may take the lock back
    // although another node leads, and that node's writes are lost. `use_proxies` keeps Patroni from fetching other
    // addresses from etcd, which would bypass the path that can be cut.
    etcd: { hosts: node.etcd, use_proxies: true },
    bootstrap: {
      dcs: {
        ttl: 20,
        loop_wait: 2,
        retry_timeout: 4,
        synchronous_mode: true,
        postgresql: { use_pg_rewind: true, parameters: { max_connections: 150, wal_log_hints: 'on' } },
      },
      initdb: ['data-checksums', { encoding: 'UTF8' }, { locale: 'C.UTF-8' }],
      pg_hba: HBA,
    },
    postgresql: {
      listen: `127.0.0.1:${node.listen.postgres}`,
      connect_address: node.reached.postgres,
      data_dir: `${node.folder}/data`,
      bin_dir: node.postgresBin,
      pgpass: `${node.folder}/pgpass`,
      authentication: {
        superuser: { ...superuser, sslmode: 'require' },
        replication: { ...replication, sslmode: 'require' },
        rewind: { ...rewind, sslmode: 'require' },
      },
      pg_hba: HBA,
      parameters: {
        unix_socket_directories: node.folder,
        password_encryption: 'scram-sha-256',
        ssl: 'on',
        ssl_cert_file: node.certFile,
        ssl_key_file: node.keyFile,
        fsync: 'off',
        wal_receiver_timeout: '5s',
        wal_sender_timeout: '5s',
      },
    },
  });
}
