import { writeFileSync } from 'node:fs';
import { TELEMETRY_PAGE, telemetryPage } from './telemetry-docs/page.js';

writeFileSync(TELEMETRY_PAGE, await telemetryPage());
