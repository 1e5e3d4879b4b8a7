import { writeFileSync } from 'node:fs';
import { DASHBOARDS, dashboardText } from './files.js';

for (const dashboard of DASHBOARDS) writeFileSync(dashboard.file, await dashboardText(dashboard));
