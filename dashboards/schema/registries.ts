import { GlobalRegistrator } from '@happy-dom/global-registrator';
import type * as GrafanaData from 'data-13';
import { load, type Major } from './packages.js';

/** The names that a dashboard may use, by kind. */
export interface Registries {
  readonly units: readonly string[];
  readonly matchers: readonly string[];
  readonly transformers: readonly string[];
  readonly reducers: readonly string[];
  readonly colorModes: readonly string[];
}

/** The names that `@grafana/data` of this major version registers. */
export function registries(major: Major): Registries {
  // The package needs a `window` when it is loaded, and its ES modules are for bundlers only.
  if (!('window' in globalThis)) GlobalRegistrator.register();
  const data = load(`data-${major}`) as typeof GrafanaData;
  const ids = (items: readonly { readonly id: string }[]): string[] => sorted(items.map(({ id }) => id));
  return {
    units: sorted(data.getValueFormats().flatMap(({ submenu }) => submenu.map(({ value }) => value))),
    matchers: ids(data.fieldMatchers.list()),
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- The registry is filled by Grafana itself.
    transformers: ids(Object.values(data.standardTransformers)),
    reducers: ids(data.fieldReducers.list()),
    colorModes: ids(data.fieldColorModeRegistry.list()),
  };
}

const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort();
