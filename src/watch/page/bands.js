const ROW = 13;
const MOST_ROWS = 3;

/** The room for the names of the bands above a chart. */
export const NAMES_HEIGHT = ROW * MOST_ROWS + 4;

/** Tints every other band, and writes the names above the plot, a row lower if there is no room beside a neighbour. */
export function drawBands({ ctx, bbox, scales, valToPos }, bands, colors) {
  const { min, max } = scales.x;
  if (min == null || max == null) return;
  const scale = devicePixelRatio;
  const right = bbox.left + bbox.width;
  const place = (at) => Math.min(right, Math.max(bbox.left, valToPos(at, 'x', true)));
  const ends = Array.from({ length: MOST_ROWS }, () => -Infinity);
  const names = [];
  ctx.save();
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  for (const [i, { name, from, to }] of bands.entries()) {
    const [begin, end] = [place(from / 1000), place(to === undefined ? max : to / 1000)];
    if (end <= begin) continue;
    ctx.fillStyle = colors.band;
    if (i % 2 === 0) ctx.fillRect(begin, bbox.top, end - begin, bbox.height);
    const width = ctx.measureText(name).width;
    const left = Math.max(0, Math.min(begin, right - width));
    const row = ends.findIndex((taken) => taken <= left);
    if (row === -1) continue;
    ends[row] = left + width + 8 * scale;
    names.push({ name, begin, left, width, top: row * ROW * scale });
  }
  ctx.fillStyle = colors.name;
  const height = ROW * scale;
  // A line from each name to the start of its band, without crossing another name.
  for (const { begin, top } of names) ctx.fillRect(begin, top + height, scale, bbox.top - top - height);
  for (const { name, left, width, top } of names) {
    ctx.clearRect(left - scale, top, width + 2 * scale, height);
    ctx.fillText(name, left, top);
  }
  ctx.restore();
}
