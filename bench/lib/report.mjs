// How are figures said? (medians, ratios, one table)
// SPDX-License-Identifier: MIT

export function median(values) {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const ratio = (value) => (value < 1 ? `1/${(1 / value).toFixed(1)}` : `${value.toFixed(2)} ×`);
export const percent = (share) => (share === 0 ? '0' : `${(share * 100).toFixed(3)} %`);
export const us = (value) => `${value.toFixed(2)} µs`;
export const ms = (valueUs) => `${(valueUs / 1000).toFixed(2)} ms`;

/** Rows of cells as a Markdown table, padded so that it also reads well in a terminal. */
export function table(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
