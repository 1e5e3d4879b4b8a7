import '@fontsource/inter/400.css';
import '@fontsource/inter/500.css';
import '@fontsource/roboto-mono/400.css';
import { createTheme, dateTime, locationUtil, rangeUtil, ThemeContext, type TimeRange } from '@grafana/data';
import { GlobalStyles } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { fetchMarks } from './data/fetch-marks.ts';
import { onlyRow, openedLayout } from './data/layout.ts';
import { fetchPanel, type PanelData } from './data/panel-data.ts';
import { valueOf, type Values } from './data/variables.ts';
import type { Job, Outcome } from './job.ts';
import { boxOf, DashboardPage, paddingPx } from './view/dashboard.tsx';
import { visualizations } from './view/panel.tsx';

locationUtil.initialize({
  config: { appSubUrl: '' } as Parameters<typeof locationUtil.initialize>[0]['config'],
  getVariablesUrlParams: () => ({}),
  getTimeRangeForUrl: () => ({ from: window.job.from, to: window.job.to }),
});

const timeZone = 'utc';

function timeRangeOf({ from, to }: Job): TimeRange {
  const absolute = [from, to].map((text) => (text.includes('now') ? text : dateTime(text)));
  return rangeUtil.convertRawToRange({ from: absolute[0] ?? from, to: absolute[1] ?? to }, timeZone);
}

async function draw(job: Job): Promise<Outcome> {
  const range = timeRangeOf(job);
  const values: Values = {};
  for (const variable of job.dashboard.templating?.list ?? []) {
    values[variable.name] = valueOf(variable, job.variables[variable.name]);
  }
  const everything = openedLayout(job.dashboard);
  const placed = job.row === undefined ? everything : onlyRow(everything, job.row);
  const context = { range, scrapeInterval: job.scrapeInterval, values };
  const width = window.innerWidth - 2 * paddingPx;
  const data = new Map<number, PanelData>();
  const outcome: Outcome = { panels: [], problems: [] };
  const panels = placed.flatMap((item) => (item.kind === 'panel' ? [item] : []));
  await Promise.all(
    panels.map(async ({ panel, at }) => {
      const answer = await fetchPanel(panel, boxOf(at, width).width, context);
      if (visualizations[panel.type] === undefined)
        answer.problems.push(`${panel.type} panels are not drawn here`);
      if (panel.repeat !== undefined) answer.problems.push('repeated panels are drawn once here');
      data.set(panel.id ?? 0, answer);
      outcome.panels.push({
        id: panel.id ?? 0,
        title: panel.title ?? '',
        type: panel.type,
        series: answer.frames.length,
        problems: answer.problems,
      });
    }),
  );
  const annotations = await fetchMarks(job.dashboard.annotations?.list ?? [], context).catch(
    (error: unknown) => {
      outcome.problems.push(`annotations: ${String(error)}`);
      return [];
    },
  );
  const theme = createTheme({ colors: { mode: job.theme } });
  // Load the fonts first, because canvas text is measured when the plots are created.
  await Promise.all(['12px Inter', '500 12px Inter'].map((font) => document.fonts.load(font)));
  await new Promise<void>((resolve) => {
    createRoot(document.getElementById('root') ?? document.body).render(
      <ThemeContext.Provider value={theme}>
        <GlobalStyles />
        <DashboardPage {...{ job, placed, data, annotations, range, timeZone, values }} onDrawn={resolve} />
      </ThemeContext.Provider>,
    );
  });
  return outcome;
}

draw(window.job).then(
  (outcome) => (window.outcome = outcome),
  (error: unknown) => {
    window.outcome = {
      panels: [],
      problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    };
  },
);
