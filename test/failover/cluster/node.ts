import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { childrenOf, isAlive, signal } from '../../../local-rds/processes.js';
import { CuttablePath } from '../../support/cuttable-path.js';
import { Proxy, UNDISTURBED } from '../../support/proxy.js';
import { ServerProcess } from '../../support/server-process.js';
import { patroniConfig } from './patroni-config.js';
import { own, type Tools } from './tools.js';

/** The parts of a node. */
export interface NodeParts {
  readonly tools: Tools;
  readonly name: string;
  readonly folder: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly ports: { readonly postgres: number; readonly rest: number; readonly etcd: number };
  /** The address at which clients and the other nodes reach its PostgreSQL. */
  readonly at: { readonly host: string; readonly port: number };
}

/** The paths to and from a node: to its PostgreSQL, to its Patroni, and its own path to etcd. */
interface Ways {
  readonly postgres: Proxy;
  readonly rest: CuttablePath;
  readonly etcd: CuttablePath;
}

/** One node: PostgreSQL and its Patroni; it can be cut off from the others and from etcd. */
export class Node {
  readonly name: string;
  readonly host: string;
  readonly #parts: NodeParts;
  readonly #ways: Ways;
  #patroni: ServerProcess | undefined;

  private constructor(parts: NodeParts, ways: Ways) {
    this.#parts = parts;
    this.#ways = ways;
    this.name = parts.name;
    this.host = parts.at.host;
  }

  /** Creates its folder and its paths, and starts it. */
  static async create(parts: NodeParts): Promise<Node> {
    const { folder, tools, ports, at, name, certFile, keyFile } = parts;
    const postgres = new Proxy({ host: '127.0.0.1', port: ports.postgres }, at.host, at.port);
    await postgres.listen();
    const [rest, etcd] = await Promise.all([CuttablePath.to(ports.rest), CuttablePath.to(ports.etcd)]);
    await mkdir(folder, { recursive: true });
    const config = patroniConfig({
      ...{ name, folder, certFile, keyFile, postgresBin: tools.postgresBin, listen: ports },
      reached: { postgres: `${at.host}:${at.port}`, rest: `127.0.0.1:${rest.port}` },
      etcd: `127.0.0.1:${etcd.port}`,
    });
    await writeFile(join(folder, 'patroni.yml'), config);
    await own(folder, tools);
    const node = new Node(parts, { postgres, rest, etcd });
    node.start();
    return node;
  }

  /** Port of Patroni's REST service as the others reach it. */
  get restPort(): number {
    return this.#ways.rest.port;
  }

  /** The folder of its unix socket, and the port in the socket's name. */
  get socket(): { readonly host: string; readonly port: number } {
    return { host: this.#parts.folder, port: this.#parts.ports.postgres };
  }

  /** Starts Patroni, which starts PostgreSQL. */
  start(): void {
    const { tools, name, folder } = this.#parts;
    this.#patroni = new ServerProcess(`patroni of ${name}`, {
      program: tools.patroni,
      args: [join(folder, 'patroni.yml')],
      cwd: folder,
      // libpq looks for certificates in the user's home.
      env: { LANG: 'C.UTF-8', HOME: folder },
      ...(tools.user && { user: tools.user }),
    });
  }

  /** The end of Patroni's output. */
  get output(): string {
    return this.#patroni?.output ?? '';
  }

  /** Kills PostgreSQL as a crash does, and Patroni too if requested. */
  kill(what: { readonly patroni: boolean }): void {
    const postmaster = this.#postmaster();
    if (what.patroni) this.#patroni?.signal('SIGKILL');
    if (postmaster !== undefined) signal(postmaster, 'SIGKILL');
  }

  /** Stops every process of the node, as if the machine froze. */
  freeze(): void {
    this.#each('SIGSTOP');
  }

  /** Ends `freeze()`. */
  thaw(): void {
    this.#each('SIGCONT');
  }

  /** Cuts it off: all traffic to and from its PostgreSQL vanishes, and it reaches neither etcd nor the other nodes. */
  async cut(): Promise<void> {
    this.#ways.postgres.set({ blackHole: true });
    await Promise.all([this.#ways.rest.cut(), this.#ways.etcd.cut()]);
  }

  /** Ends `cut()`. */
  async mend(): Promise<void> {
    this.#ways.postgres.set(UNDISTURBED);
    // The streams have lost bytes, so they cannot continue.
    this.#ways.postgres.resetAll();
    await Promise.all([this.#ways.rest.join(), this.#ways.etcd.join()]);
  }

  /** Stops it permanently. */
  async stop(): Promise<void> {
    this.thaw();
    const postmaster = this.#postmaster();
    await this.#patroni?.stop();
    if (postmaster !== undefined && isAlive(postmaster)) signal(postmaster, 'SIGKILL');
    const { postgres, rest, etcd } = this.#ways;
    await Promise.all([postgres.close(), rest.cut(), etcd.cut()]);
  }

  #each(name: NodeJS.Signals): void {
    const postmaster = this.#postmaster();
    this.#patroni?.signal(name);
    if (postmaster === undefined) return;
    for (const pid of [postmaster, ...childrenOf(postmaster)]) signal(pid, name);
  }

  #postmaster(): number | undefined {
    try {
      const [pid] = readFileSync(join(this.#parts.folder, 'data', 'postmaster.pid'), 'utf8').split('\n');
      const number = Number(pid);
      return number > 0 && isAlive(number) ? number : undefined;
    } catch {
      return undefined;
    }
  }
}
