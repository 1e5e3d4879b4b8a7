import { writeFileSync } from 'node:fs';
import { API_PAGE, apiPage } from './api-docs/page.js';

const { text, faults } = await apiPage();
if (faults.length > 0) throw new Error(faults.join('\n'));
writeFileSync(API_PAGE, text);
