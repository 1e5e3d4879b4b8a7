import { writeFileSync } from 'node:fs';
import { committedFile, grafanaText } from './grafana.js';
import { MAJORS } from './packages.js';

for (const major of MAJORS) writeFileSync(committedFile(major), grafanaText(major));
// The timers of the `window` that was created for Grafana would keep the process alive.
process.exit();
