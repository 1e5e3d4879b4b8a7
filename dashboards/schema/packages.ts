import { createRequire } from 'node:module';

/** The major versions that the dashboards are checked against, each pinned in package.json. */
export const MAJORS = [11, 12, 13] as const;
export type Major = (typeof MAJORS)[number];

/** Loads a module like `require`. */
export const load = createRequire(import.meta.url);

/** The folder of `@grafana/schema` of this major version. */
export function schemaFolder(major: Major): string {
  const name = `schema-${major}`;
  const main = load.resolve(name);
  return main.slice(0, main.lastIndexOf(name) + name.length);
}
