import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';

/** The fields of a package's manifest that are read. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly engines?: { readonly node?: string };
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** All packages at the top of a folder's `node_modules`. */
export class Installed {
  private readonly manifests: readonly Manifest[];

  constructor(folder: string) {
    const top = join(folder, 'node_modules');
    const visible = (path: string): string[] => readdirSync(path).filter((name) => !name.startsWith('.'));
    const names = visible(top).flatMap((name) =>
      name.startsWith('@') ? visible(join(top, name)).map((inner) => `${name}/${inner}`) : [name],
    );
    this.manifests = names.map(
      (name) => JSON.parse(readFileSync(join(top, name, 'package.json'), 'utf8')) as Manifest,
    );
  }

  /** The version of one of them. */
  version(name: string): string | undefined {
    return this.manifests.find((manifest) => manifest.name === name)?.version;
  }

  /** The packages whose requirements the installed version of another one does not meet. */
  conflicts(): string[] {
    return this.manifests.flatMap(({ name, version, peerDependencies = {}, peerDependenciesMeta = {} }) =>
      Object.entries(peerDependencies).flatMap(([peer, range]) => {
        const found = this.version(peer);
        if (found === undefined && peerDependenciesMeta[peer]?.optional === true) return [];
        const fits = found !== undefined && semver.satisfies(found, range);
        return fits ? [] : [`${name} ${version} wants ${peer} ${range}`];
      }),
    );
  }

  /** The packages that do not support a version of Node. */
  refusals(node: string): string[] {
    return this.manifests
      .filter(({ engines }) => engines?.node !== undefined && !semver.satisfies(node, engines.node))
      .map(({ name, version, engines }) => `${name} ${version} wants Node ${engines?.node ?? ''}`);
  }
}
