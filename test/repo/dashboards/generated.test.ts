import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DASHBOARDS, dashboardText } from '../../../dashboards/src/files.js';

describe('the committed dashboards', () => {
  it.each(DASHBOARDS)('$board.title is what `npm run dashboards` makes', async (dashboard) => {
    expect(readFileSync(dashboard.file, 'utf8')).toBe(await dashboardText(dashboard));
  });
});
