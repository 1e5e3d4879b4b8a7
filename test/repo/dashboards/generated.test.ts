import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DASHBOARDS, dashboardText } from '../../../dashboards/src/files.js';

describe('the committed dashboards', () => {
  it.each(DASHBOARDS)('$board.title matches the output of `npm run dashboards`', async (dashboard) => {
    expect(readFileSync(dashboard.file, 'utf8')).toBe(await dashboardText(dashboard));
  });
});
