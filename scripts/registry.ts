import { mkdirSync, writeFileSync } from 'node:fs';
import { REGISTRY_FOLDER, registryFiles } from './registry/files.js';

mkdirSync(REGISTRY_FOLDER, { recursive: true });
for (const [name, text] of Object.entries(await registryFiles()))
  writeFileSync(new URL(name, REGISTRY_FOLDER), text);
