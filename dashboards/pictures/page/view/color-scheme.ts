import { colorManipulator } from '@grafana/data';
import * as chromatic from 'd3-scale-chromatic';

/** A heatmap's `options.color`. */
export interface HeatmapColors {
  scheme?: string;
  steps?: number;
  reverse?: boolean;
  exponent?: number;
  min?: number;
  max?: number;
}

const diverging = ['BrBG', 'PiYG', 'PRGn', 'PuOr', 'RdBu', 'RdGy', 'RdYlBu', 'RdYlGn', 'Spectral'];
const brightAtTheTop = [
  'Turbo',
  'Cividis',
  'Viridis',
  'Magma',
  'Inferno',
  'Plasma',
  'Warm',
  'Cool',
  'CubehelixDefault',
];

/** The scheme's colours from low to high counts. Higher counts contrast more with the background. */
export function colorSteps(
  { scheme = 'Oranges', steps = 64, reverse = false }: HeatmapColors,
  dark: boolean,
): string[] {
  const interpolator = (chromatic as unknown as Record<string, unknown>)[`interpolate${scheme}`];
  if (typeof interpolator !== 'function') throw new Error(`no colour scheme is called ${scheme}`);
  const inverted = diverging.includes(scheme) || brightAtTheTop.includes(scheme) !== dark;
  return Array.from({ length: steps }, (_, step) => {
    const part = steps === 1 ? 1 : step / (steps - 1);
    const color = (interpolator as (part: number) => string)(inverted !== reverse ? 1 - part : part);
    return colorManipulator.asHexString(color);
  });
}

/** The index of a value's step. */
export function stepOf(value: number, min: number, max: number, steps: number, exponent = 1): number {
  if (max <= min) return steps - 1;
  const part = ((value - min) / (max - min)) ** exponent;
  return Math.max(0, Math.min(steps - 1, Math.floor(part * steps)));
}
