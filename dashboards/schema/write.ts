import { writeFileSync } from 'node:fs';
import { committedFile, grafanaText } from './grafana.js';
import { MAJORS } from './packages.js';

for (const major of MAJORS) writeFileSync(committedFile(major), grafanaText(major));
// The window that was put up for Grafana has timers.
process.exit();
