// A convolution by hand: what a filter makes of a patch at a stride and a padding. Nothing is drawn here.

export const FILTERS = {
  vertical: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], horizontal: [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
  blur: [[1, 1, 1], [1, 1, 1], [1, 1, 1]].map(row => row.map(v => v / 9)), sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  edges: [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], same: [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
};

/** How many values a side has after a filter of k x k. */
export const sideAfter = (side, k, stride, padding) => Math.floor((side + 2 * padding - k) / stride) + 1;

/** The patch with zeros around it. */
export const padded = (patch, padding) => Array.from({ length: patch.length + 2 * padding }, (_, j) =>
  Array.from({ length: patch[0].length + 2 * padding }, (_, i) => patch[j - padding]?.[i - padding] ?? 0));

/** What one output value is made of: the values below the filter, their products with it, and the sum. */
export function step(patch, filter, stride, padding, row, column) {
  const around = padded(patch, padding);
  const below = filter.map((line, j) => line.map((_, i) => around[row * stride + j][column * stride + i]));
  const products = below.map((line, j) => line.map((value, i) => value * filter[j][i]));
  return { below, products, sum: products.flat().reduce((a, b) => a + b, 0) };
}

/** All output values. */
export function convolve(patch, filter, stride, padding) {
  const rows = sideAfter(patch.length, filter.length, stride, padding), columns = sideAfter(patch[0].length, filter.length, stride, padding);
  return Array.from({ length: Math.max(rows, 0) }, (_, j) => Array.from({ length: Math.max(columns, 0) }, (_, i) => step(patch, filter, stride, padding, j, i).sum));
}
