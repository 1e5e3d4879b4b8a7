import { describe, expect, it } from 'vitest';
import {
  annotationQueries,
  panelQueries,
  readDashboard,
  variableQueries,
  withVariables,
} from '../../support/dashboard-queries.js';

const values = {
  job: 'shop',
  instance: '.+',
  pool: 'main|other',
  interval: '15s',
  rateInterval: '1m',
  rangeS: 21_600,
};
const target = (refId: string, instant: boolean) =>
  ({
    refId,
    expr: `up # ${refId}`,
    instant,
    range: !instant,
    format: 'time_series',
    exemplar: false,
  }) as const;

describe('the queries of a dashboard', () => {
  it('are those of its panels, collapsed rows included, in order', () => {
    const dashboard = {
      uid: 'd',
      panels: [
        { id: 1, type: 'row', title: 'open' },
        { id: 2, type: 'stat', title: 'a', targets: [target('A', true)] },
        {
          id: 3,
          type: 'row',
          title: 'collapsed',
          panels: [
            { id: 4, type: 'timeseries', title: 'b', targets: [target('A', false), target('B', false)] },
          ],
        },
      ],
    };
    expect(panelQueries(dashboard)).toEqual([
      expect.objectContaining({ dashboard: 'd', panelId: 2, panelTitle: 'a', refId: 'A', kind: 'instant' }),
      expect.objectContaining({ panelId: 4, panelTitle: 'b', refId: 'A', kind: 'range', expr: 'up # A' }),
      expect.objectContaining({ panelId: 4, refId: 'B', kind: 'range', format: 'time_series' }),
    ]);
  });

  it('include the query of each variable', () => {
    expect(variableQueries(readDashboard('pgauge-pool'))).toEqual([
      expect.objectContaining({ variable: 'job', selector: 'db_client_connection_limit', label: 'job' }),
      expect.objectContaining({
        variable: 'instance',
        selector: 'db_client_connection_limit{job=~"$job"}',
        label: 'instance',
      }),
      expect.objectContaining({
        variable: 'pool',
        selector: 'db_client_connection_limit{job=~"$job", instance=~"$instance"}',
        label: 'db_client_connection_pool_name',
      }),
    ]);
  });

  it('include the annotations', () => {
    expect(annotationQueries(readDashboard('pgauge-auth')).map(({ name }) => name)).toEqual([
      'Firing alerts',
      'Limit changed',
    ]);
  });

  it('refuse a variable that is not label_values', () => {
    const list = [{ name: 'job', type: 'query', query: 'query_result(up)' }];
    expect(() => variableQueries({ uid: 'd', templating: { list } })).toThrow(/variable job of d/);
  });
});

describe('variables in an expression', () => {
  it('are replaced everywhere', () => {
    expect(withVariables('rate(a{job=~"$job", x=~"$pool|"}[$__rate_interval] offset $__range)', values)).toBe(
      'rate(a{job=~"shop", x=~"main|other|"}[1m] offset 21600s)',
    );
  });

  it('do not replace the groups of label_replace', () => {
    expect(withVariables('label_replace(a / $__range_s, "b", "$1", "c", "(.+)")', values)).toBe(
      'label_replace(a / 21600, "b", "$1", "c", "(.+)")',
    );
  });

  it('throw if they are unknown', () => {
    expect(() => withVariables('rate(a[$__range_ms])', values)).toThrow(/\$__range_ms is not known/);
  });
});
