import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  type DataSourceRef,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  MappingType,
  SpecialValueMatch,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  CellValuesBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapTooltipBuilder,
  PanelBuilder as HeatmapBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type {
  HeatmapPanel,
  PanelSpec,
  Query,
  StatPanel,
  StateTimelinePanel,
  TablePanel,
  TimeseriesPanel,
} from './board.js';

/** The data source selected by the dashboard's variable. */
export const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

const NO_DATA: ValueMapping = {
  type: MappingType.SpecialValue,
  options: { match: SpecialValueMatch.Null, result: { text: 'no data', color: 'text' } },
};
type AnyBuilder = StatBuilder | TimeseriesBuilder | StateTimelineBuilder | HeatmapBuilder | TableBuilder;

/** A panel in Grafana's format, without its position. */
export function panelBuilder(panel: PanelSpec): AnyBuilder {
  switch (panel.type) {
    case 'stat':
      return stat(panel);
    case 'timeseries':
      return timeseries(panel);
    case 'state-timeline':
      return stateTimeline(panel);
    case 'heatmap':
      return heatmap(panel);
    case 'table':
      return table(panel);
  }
}

function stat(panel: StatPanel): StatBuilder {
  return (
    common(new StatBuilder(), panel)
      .decimals(panel.decimals ?? 1)
      .thresholds(thresholds(panel.thresholds))
      .colorMode(BigValueColorMode.Value)
      // A sparkline would overlap the number.
      .graphMode(BigValueGraphMode.None)
      // Without data, the panel must not be green.
      .mappings([NO_DATA])
      .reduceOptions(new ReduceDataOptionsBuilder().calcs([panel.calc ?? 'lastNotNull']).values(false))
      .targets([target(panel.query, 0)])
  );
}

function timeseries(panel: TimeseriesPanel): TimeseriesBuilder {
  const builder = common(new TimeseriesBuilder(), panel)
    .spanNulls(false)
    .lineWidth(1)
    .fillOpacity(panel.stacked === true ? 40 : 0)
    .showPoints(VisibilityMode.Auto)
    .stacking(
      new StackingConfigBuilder().mode(panel.stacked === true ? StackingMode.Normal : StackingMode.None),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(panel.tableLegend === true ? LegendDisplayMode.Table : LegendDisplayMode.List)
        .placement(panel.tableLegend === true ? LegendPlacement.Right : LegendPlacement.Bottom)
        .calcs(panel.tableLegend === true ? ['max'] : [])
        .sortBy(panel.tableLegend === true ? 'Max' : 'Name')
        .sortDesc(panel.tableLegend === true),
    )
    .targets(panel.queries.map(target));
  if (panel.axisLabel !== undefined) builder.axisLabel(panel.axisLabel);
  if (panel.max !== undefined) builder.max(panel.max);
  if (panel.softMax !== undefined) builder.axisSoftMax(panel.softMax);
  if (panel.thresholds !== undefined) {
    builder
      .thresholds(thresholds(panel.thresholds))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  for (const [name, color] of Object.entries(panel.colors ?? {}))
    builder.overrideByName(name, [fixed(color)]);
  for (const name of panel.lines ?? []) {
    builder.overrideByName(name, [
      { id: 'custom.stacking', value: { group: 'A', mode: 'none' } },
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'custom.lineWidth', value: 2 },
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
    ]);
  }
  for (const [name, unit] of Object.entries(panel.rightAxis ?? {})) {
    builder.overrideByName(name, [
      { id: 'unit', value: unit },
      { id: 'custom.axisPlacement', value: AxisPlacement.Right },
      { id: 'custom.axisLabel', value: '' },
    ]);
  }
  return builder;
}

function stateTimeline(panel: StateTimelinePanel): StateTimelineBuilder {
  const options = Object.fromEntries(
    panel.states.map(({ value, text, color }, index) => [String(value), { text, color, index }]),
  );
  return common(new StateTimelineBuilder(), panel)
    .mappings([{ type: MappingType.ValueToText, options }])
    .mergeValues(true)
    .showValue(VisibilityMode.Never)
    .rowHeight(0.8)
    .lineWidth(0)
    .fillOpacity(80)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .targets([target(panel.query, 0)]);
}

function heatmap(panel: HeatmapPanel): HeatmapBuilder {
  return common(new HeatmapBuilder(), panel)
    .calculate(false)
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme('Oranges')
        .fill('dark-orange')
        .exponent(0.5)
        .steps(64)
        .reverse(false)
        .min(0),
    )
    .yAxis(new YAxisConfigBuilder().unit(panel.unit).axisPlacement(AxisPlacement.Left))
    .cellValues(new CellValuesBuilder().unit(panel.cellUnit))
    .cellGap(1)
    .tooltip(
      new HeatmapTooltipBuilder().mode(TooltipDisplayMode.Single).yHistogram(true).showColorScale(true),
    )
    .targets([target({ ...panel.query, format: 'heatmap', legend: '{{le}}' }, 0)]);
}

function table(panel: TablePanel): TableBuilder {
  const builder = common(new TableBuilder(), panel)
    .filterable(true)
    .targets(
      panel.columns.map(({ expr }, index) =>
        target({ expr, instant: true, format: 'table', legend: '' }, index),
      ),
    )
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(
          [
            ...panel.keys.map(({ label }) => label),
            ...panel.columns.map((_, index) => valueColumn(index)),
          ].map((name, index) => [name, index]),
        ),
        renameByName: Object.fromEntries<string>([
          ...panel.keys.map(({ label, title }) => [label, title] as const),
          ...panel.columns.map(({ title }, index) => [valueColumn(index), title] as const),
        ]),
      },
    });
  if (panel.sortBy !== undefined)
    builder.sortBy([new TableSortByFieldStateBuilder().displayName(panel.sortBy).desc(true)]);
  for (const { title, width, links } of panel.keys) {
    if (width !== undefined) builder.overrideByName(title, [{ id: 'custom.width', value: width }]);
    if (links !== undefined) {
      builder.overrideByName(title, [
        { id: 'links', value: links.map((one) => ({ ...one, targetBlank: false })) },
      ]);
    }
  }
  for (const { title, unit, decimals, thresholds: steps } of panel.columns) {
    builder.overrideByName(title, [
      { id: 'unit', value: unit },
      { id: 'decimals', value: decimals ?? 0 },
      ...(steps === undefined
        ? []
        : [
            { id: 'thresholds', value: { mode: ThresholdsMode.Absolute, steps: thresholdSteps(steps) } },
            { id: 'custom.cellOptions', value: { type: 'color-text' } },
          ]),
    ]);
  }
  return builder;
}

function common<B extends AnyBuilder>(builder: B, { id, title, says, todo, unit }: PanelSpec): B {
  builder.id(id).title(title).description(`${says}\n\n**What to do:** ${todo}`);
  builder.datasource(DATASOURCE).unit(unit).min(0).noValue('no data');
  return builder;
}

function target({ expr, legend, instant, format, exemplar }: Query, index: number): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .refId(refId(index))
    .datasource(DATASOURCE)
    .expr(expr)
    .legendFormat(legend)
    .exemplar(exemplar ?? false)
    .format(
      { table: PromQueryFormat.Table, heatmap: PromQueryFormat.Heatmap, series: PromQueryFormat.TimeSeries }[
        format ?? 'series'
      ],
    );
  return instant === true ? query.instant() : query.range();
}

const refId = (index: number): string => String.fromCharCode('A'.charCodeAt(0) + index);
const valueColumn = (index: number): string => `Value #${refId(index)}`;
const fixed = (fixedColor: string): DynamicConfigValue => ({
  id: 'color',
  value: { mode: 'fixed', fixedColor },
});

function thresholdSteps(steps: NonNullable<TimeseriesPanel['thresholds']>): Threshold[] {
  return steps.map(([value, color]) => ({ value, color }));
}

function thresholds(steps: NonNullable<TimeseriesPanel['thresholds']>): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(thresholdSteps(steps));
}
