import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from '../../support/server-process.js';
import { findTool, MissingTool, runTool } from '../../support/tools/run-tool.js';

const INSTALL = 'apt-get install -y --no-install-recommends docker.io';
const FOLDERS = ['/usr/bin', '/usr/sbin'];
/** The only network device that the engine creates on the machine. */
export const BRIDGE = 'pgauge-compose';

/** A container engine that shares nothing with the machine's own: its data, socket and process ids end with it. */
export class Engine implements AsyncDisposable {
  readonly #server: ServerProcess;
  readonly #docker: string;
  readonly #remove: () => void;

  private constructor(
    /** Holds everything that is removed with the engine. */
    readonly folder: string,
    readonly socket: string,
    server: ServerProcess,
    docker: string,
    remove: () => void,
  ) {
    this.#server = server;
    this.#docker = docker;
    this.#remove = remove;
  }

  /** Starts Debian's Docker Engine; throws a `MissingTool` if it is not installed or may not run. */
  static async start(): Promise<Engine> {
    const dockerd = await findTool('dockerd', INSTALL, FOLDERS);
    const docker = await findTool('docker', INSTALL, FOLDERS);
    if (process.getuid?.() !== 0) throw new MissingTool('dockerd needs root: run it with sudo');
    const folder = await mkdtemp(join(tmpdir(), 'pgauge-engine-'));
    const socket = `unix://${join(folder, 'docker.sock')}`;
    const server = new ServerProcess('dockerd', {
      // Runs in separate namespaces: when the first process ends, all containers end, and no mount remains.
      program: await findTool('unshare', 'apt-get install -y util-linux'),
      args: [
        ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', dockerd, '--host', socket],
        ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'run')],
        ...['--pidfile', join(folder, 'pid'), '--default-ulimit', 'nofile=1024:1024'],
        // Leaves the firewall and the routes of the machine alone; containers can still reach each other.
        ...['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'],
      ],
    });
    const remove = (): void => {
      spawnSync('ip', ['link', 'delete', BRIDGE], { stdio: 'ignore' });
      rmSync(folder, { recursive: true, force: true });
    };
    process.once('exit', remove);
    const engine = new Engine(folder, socket, server, docker, remove);
    try {
      await server.until(() => engine.docker('version'));
      return engine;
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs `docker` with this engine; returns its output. */
  async docker(...args: readonly string[]): Promise<string> {
    return await runTool(this.#docker, args, { env: { ...process.env, DOCKER_HOST: this.socket } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    process.off('exit', this.#remove);
    this.#remove();
  }
}
