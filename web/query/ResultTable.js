// An instant answer as a table: a vector, a matrix (a range selector's samples), a scalar or a string.

import { h, fill } from '../app/Dom.js';
import { formatTime } from './QueryLogic.js';
import { seriesText } from './SeriesText.js';

/// Rows shown at first; the rest on demand.
const rowsAtFirst = 500;

export function ResultTable(element, data, isUTC, limit = rowsAtFirst) {
  const all = rows(data);
  if (all.length === 0) return void fill(element, h('div', { class: 'empty' }, 'No series match.'));
  const shown = all.slice(0, limit).map(([labels, cell]) =>
    h('tr', {}, h('td', {}, labels === undefined ? h('span', { class: 'empty-labels' }, data.resultType) : seriesText(labels)), h('td', { class: 'number' }, cell(isUTC))));
  fill(element, h('div', { class: 'result-frame' }, h('table', { class: 'result' }, h('tbody', {}, shown))),
    all.length > limit ? h('div', { class: 'note info' }, `${limit} of ${all.length} series are shown. `, h('button', {
      class: 'link', type: 'button', onclick: () => ResultTable(element, data, isUTC, all.length),
    }, 'Show all')) : undefined);
}

function rows({ resultType, result }) {
  if (resultType === 'scalar' || resultType === 'string') return [[undefined, () => result[1]]];
  return result.map(({ metric, value, values, histogram, histograms }) => [metric, (isUTC) => {
    if (value) return value[1];
    if (histogram) return histogramText(histogram[1]);
    const list = values ?? histograms ?? [];
    // Newest first, and not the whole of a long range.
    const lines = list.slice(-100).reverse().map(([time, item]) =>
      h('div', {}, typeof item === 'string' ? item : histogramText(item), h('span', { class: 'at' }, ` @ ${formatTime(time, isUTC)}`)));
    return [lines, list.length > 100 ? h('div', { class: 'at' }, `… ${list.length - 100} more`) : undefined];
  }]);
}

function histogramText({ count, sum, buckets = [] }) {
  const closing = { 0: ['(', ']'], 1: ['[', ')'], 2: ['(', ')'], 3: ['[', ']'] };
  return h('div', { class: 'histogram' }, h('div', {}, `count ${count}, sum ${sum}`),
    buckets.map(([bounds, low, high, share]) => h('div', { class: 'at' }, `${closing[bounds]?.[0] ?? '('}${low}, ${high}${closing[bounds]?.[1] ?? ']'}  ${share}`)));
}
