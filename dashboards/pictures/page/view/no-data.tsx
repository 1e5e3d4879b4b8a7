import type { Panel } from '@grafana/schema';
import { Stack, Text } from '@grafana/ui';

export function NoData({ panel, height }: { panel: Panel; height: number }) {
  return (
    <div style={{ height }}>
      <Stack height="100%" alignItems="center" justifyContent="center">
        <Text color="secondary">{panel.fieldConfig?.defaults.noValue ?? 'No data'}</Text>
      </Stack>
    </div>
  );
}
