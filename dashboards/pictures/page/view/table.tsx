import type { TableSortByFieldState } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { NoData } from './no-data.tsx';
import { fieldConfigOf } from './field-config.ts';
import type { VisualizationProps } from './visualization.ts';

interface TableOptions {
  showHeader?: boolean;
  sortBy?: TableSortByFieldState[];
}

export function Table({ panel, frames, width, height, range }: VisualizationProps) {
  const [frame] = frames;
  if (frame === undefined || frame.length === 0) return <NoData panel={panel} height={height} />;
  const { showHeader = true, sortBy = [] } = panel.options as TableOptions;
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      noHeader={!showHeader}
      sortBy={sortBy}
      timeRange={range}
      fieldConfig={fieldConfigOf(panel)}
      enableVirtualization={false}
    />
  );
}
