import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { committedFile, grafanaText } from '../grafana.js';
import { MAJORS } from '../packages.js';

describe('the committed schemas', () => {
  it.each(MAJORS)(
    'of Grafana %i match the output of `npm run write`',
    (major) => {
      expect(readFileSync(committedFile(major), 'utf8')).toBe(grafanaText(major));
    },
    60_000,
  );
});
