import { formattedValueToString, getValueFormat } from '@grafana/data';
import { Stack, Text } from '@grafana/ui';

interface Props {
  colors: string[];
  min: number;
  max: number;
  unit: string;
}

export function ColorScale({ colors, min, max, unit }: Props) {
  const format = (value: number): string => formattedValueToString(getValueFormat(unit)(value));
  const style = { width: 200, height: 9, background: `linear-gradient(90deg, ${colors.join(', ')})` };
  return (
    <Stack alignItems="center" gap={1}>
      <Text variant="bodySmall">{format(min)}</Text>
      <div style={style} />
      <Text variant="bodySmall">{format(max)}</Text>
    </Stack>
  );
}
