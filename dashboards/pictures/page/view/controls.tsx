import type { TimeRange } from '@grafana/data';
import type { Dashboard } from '@grafana/schema';
import {
  Icon,
  InlineLabel,
  RefreshPicker,
  Select,
  Stack,
  Text,
  TimeRangePicker,
  ToolbarButton,
} from '@grafana/ui';
import { labelOf } from '../data/variables.ts';

interface Props {
  dashboard: Dashboard;
  asked: Record<string, string>;
  range: TimeRange;
  timeZone: string;
}

// VariableHide.hideVariable; the schema declares that enum twice.
const hidden = 2;
const nothing = (): void => undefined;

/** The part above the panels: title, variables, links, time. */
export function Controls({ dashboard, asked, range, timeZone }: Props) {
  const variables = (dashboard.templating?.list ?? []).filter(({ hide }) => Number(hide) !== hidden);
  return (
    <Stack direction="column" gap={2}>
      <Stack alignItems="center" justifyContent="space-between">
        <Stack alignItems="center" gap={1}>
          <Text color="secondary">Dashboards</Text>
          <Icon name="angle-right" />
          <Text>{dashboard.title ?? dashboard.uid ?? ''}</Text>
        </Stack>
        <Stack gap={1}>
          {(dashboard.links ?? []).map((link) => (
            <ToolbarButton key={link.title} variant="canvas" icon="external-link-alt">
              {link.title}
            </ToolbarButton>
          ))}
          <TimeRangePicker
            value={range}
            timeZone={timeZone}
            onChange={nothing}
            onChangeTimeZone={nothing}
            onMoveBackward={nothing}
            onMoveForward={nothing}
            onZoom={nothing}
            isOnCanvas
          />
          <RefreshPicker value={dashboard.refresh ?? ''} onIntervalChanged={nothing} isOnCanvas />
        </Stack>
      </Stack>
      <Stack gap={2}>
        {variables.map((variable) => (
          <Stack key={variable.name} gap={0}>
            <InlineLabel width="auto">{variable.label ?? variable.name}</InlineLabel>
            <Select
              width="auto"
              options={[]}
              value={{ label: labelOf(variable, asked[variable.name]) || 'Prometheus', value: '' }}
              onChange={nothing}
            />
          </Stack>
        ))}
      </Stack>
    </Stack>
  );
}
