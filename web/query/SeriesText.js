// Labels of a series as coloured text: name{label="value", …}. Pieces are text nodes.

import { h } from '../app/Dom.js';

/// `fallback` is shown where `labels` is empty.
export function seriesText(labels, fallback) {
  const shown = Object.keys(labels).length === 0 && fallback ? fallback : labels;
  const { __name__: name, ...rest } = shown;
  const mark = (text) => h('span', { class: 'mark' }, text);
  const parts = Object.entries(rest).map(([key, value], index) => [
    index > 0 ? mark(', ') : undefined,
    h('span', { class: 'key' }, /^[a-zA-Z_]\w*$/.test(key) ? key : JSON.stringify(key)), mark('='),
    h('span', { class: 'value' }, JSON.stringify(value)),
  ]);
  const braces = parts.length > 0 || name === undefined;
  return h('span', { class: 'series' }, name === undefined ? undefined : h('span', { class: 'name' }, name),
    braces ? mark('{') : undefined, parts, braces ? mark('}') : undefined);
}
