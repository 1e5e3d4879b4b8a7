import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Major, schemaFolder } from './packages.js';
import { panelSchemas } from './panel-schemas.js';
import { registries } from './registries.js';

/** The committed file about a major version. */
export function committedFile(major: Major): string {
  return join(import.meta.dirname, `grafana-${major}.json`);
}

/** The text of that file: JSON Schemas of the parts of a dashboard, and the names in Grafana's registries. */
export function grafanaText(major: Major): string {
  const manifest = readFileSync(join(schemaFolder(major), 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const grafana = { version, registries: registries(major), schemas: panelSchemas(major) };
  return `${JSON.stringify(grafana)}\n`;
}
