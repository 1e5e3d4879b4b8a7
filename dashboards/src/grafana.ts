import {
  AnnotationQueryBuilder,
  type Dashboard as GrafanaDashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import type { Board } from './board.js';
import { forEveryMajor } from './every-major.js';
import { DATASOURCE, panelBuilder } from './grafana-panels.js';
import { rowHeight, rowsFromTop } from './layout.js';

/** Grafana 10 loads this version as it is; later versions migrate it. */
const SCHEMA_VERSION = 38;
/** The export interval of the stack: shorter events are not visible. */
const ANNOTATION_STEP = '15s';

/* eslint-disable @typescript-eslint/no-deprecated -- Grafana 10 and 11 know only the classic schema. */
/** A dashboard in Grafana's format. */
export function grafanaDashboard(board: Board): GrafanaDashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags([...board.tags])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: board.from, to: 'now' })
    .refresh('30s')
    .variables([
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
      ...board.variables.map(({ name, label, query }) => queryVariable(name, label, query)),
    ])
    .annotations(board.annotations.map(annotation))
    .links(board.links.map(link));
  for (const { row, y, panels } of rowsFromTop(board.rows)) {
    const built = panels.map(({ panel, ...position }) => panelBuilder(panel).gridPos(position));
    const head = new RowBuilder(row.title)
      .id(row.id)
      .collapsed(row.collapsed ?? false)
      .gridPos({ x: 0, y, w: 24, h: rowHeight });
    if (row.collapsed === true) {
      for (const panel of built) head.withPanel(panel);
      builder.withRow(head);
    } else {
      builder.withRow(head);
      for (const panel of built) builder.withPanel(panel);
    }
  }
  return { ...forEveryMajor(builder.build()), schemaVersion: SCHEMA_VERSION };
}

function queryVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query, refId: `variable-${name}` })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

/** The formats are beside the query, because Grafana's Prometheus data source reads them there. */
function annotation({
  name,
  expr,
  color,
  title,
  text,
  tagLabels,
}: Board['annotations'][number]): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .hide(false)
    .iconColor(color)
    .target(new DataqueryBuilder().refId('Anno').expr(expr).interval(ANNOTATION_STEP).range())
    .titleFormat(title)
    .textFormat(text)
    .tagKeys(tagLabels.join(','));
}

function link({ title, uid, tooltip }: Board['links'][number]): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(`/d/${uid}`)
    .icon('dashboard')
    .tooltip(tooltip)
    .tags([])
    .keepTime(true)
    .includeVars(true);
}
