import { join } from 'node:path';
import { build } from './build/package.js';

await build(join(import.meta.dirname, '../dist'));
