import { createRequire } from 'node:module';

/** The majors that the dashboards are held against, each in the version that package.json pins. */
export const MAJORS = [11, 12, 13] as const;
export type Major = (typeof MAJORS)[number];

/** Loads as `require` does. */
export const load = createRequire(import.meta.url);

/** Where `@grafana/schema` of this major lies. */
export function schemaFolder(major: Major): string {
  const name = `schema-${major}`;
  const main = load.resolve(name);
  return main.slice(0, main.lastIndexOf(name) + name.length);
}
