import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackendCase, SourceFault } from './backend-case.js';
import { createRotatingRole } from './role.js';

/** Writes files into a folder as the kubelet does: behind a symlink that is replaced atomically. */
export class SecretVolume {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The path of a file in the volume. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  async write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
    const version = await mkdtemp(join(this.#folder, '..version-'));
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(version, name), text);
      await symlink(join('..data', name), this.path(name)).catch(() => undefined);
    }
    const next = this.path('..data_tmp');
    await rm(next, { force: true });
    await symlink(version, next);
    await rename(next, this.path('..data'));
  }
}

/** A file that holds the password of a role, and one that holds its name. */
export const passwordFileCase: BackendCase = {
  backend: 'passwordFile',
  fetches: false,
  faults: {
    down: /failed to read .*password: ENOENT: no such file or directory/,
    empty: /failed to read .*password: it is empty$/,
    html: 'rejected',
    binary: /failed to read .*password: it is not UTF-8 text$/,
    huge: /failed to read .*password: it has more than 65537 bytes$/,
    'of another user': 'rejected',
  },
  hint: /password$|password in .*password: check that the file/,
  refusedSettings: [
    [{}, '.path is required'],
    [{ path: '' }, '.path is required'],
    [{ path: 5 }, '.path must be a string'],
    [{ path: 'a\0b' }, '.path must not contain control characters'],
    [{ path: 'a', userPath: '' }, '.userPath is required'],
    [{ path: 'a', userPath: {} }, '.userPath must be a string'],
  ],
  packages: [],

  async start(rds, home) {
    const role = await createRotatingRole(rds);
    const volume = new SecretVolume(await mkdtemp(join(home, 'secret-')));
    const texts: Readonly<Partial<Record<SourceFault, string | Buffer>>> = {
      empty: '\n',
      html: '<html>canary</html>',
      binary: Buffer.from([0xff, 0xfe, 0x00, 0x80]),
      huge: 'canary'.repeat(200_000),
    };
    const write = async (password: string | Buffer, user = role.user): Promise<void> =>
      volume.write({ password, user });
    await write(`${role.password}\n`);
    return {
      user: 'not this one',
      dynamicAuth: { passwordFile: { path: volume.path('password'), userPath: volume.path('user') } },
      async set(fault) {
        if (fault === 'down') await rm(volume.path('..data'));
        else if (fault === 'of another user') await write(role.password, rds.postgres.user);
        else await write((fault && texts[fault]) ?? `${role.password}\n`);
      },
      async rotate() {
        await role.rotate();
        await write(`${role.password}\r\n`);
      },
      secrets: () => role.passwords,
      fetches: () => 0,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  },
};
