// An instant answer as a table: a vector, a matrix (a range selector's samples), a scalar or a string.

import { h, fill } from '../app/Dom.js';
import { HistogramPicture } from './HistogramPicture.js';
import { PointView } from './PointView.js';
import { formatTime } from './QueryLogic.js';
import { seriesText } from './SeriesText.js';

/// Rows shown at first; the rest on demand.
const rowsAtFirst = 500;

/// `asked` is { expr, time }: a value that is pressed shows how it came about. Returns what frees the table.
export function ResultTable(element, data, isUTC, asked, limit = rowsAtFirst) {
  const all = rows(data);
  const stops = new Set();
  if (all.length === 0) {
    fill(element, h('div', { class: 'empty' }, 'No series match.'));
    return () => {};
  }
  const hasPoints = data.resultType === 'vector' || data.resultType === 'scalar';
  const shown = all.slice(0, limit).map(([labels, cell]) => {
    const content = cell(isUTC);
    const row = h('tr', {}, h('td', {}, labels === undefined ? h('span', { class: 'empty-labels' }, data.resultType) : seriesText(labels)),
      h('td', { class: 'number' }, hasPoints && typeof content === 'string' ? pointButton(content, () => row, labels, asked, isUTC, stops) : content));
    return row;
  });
  fill(element, h('div', { class: 'result-frame' }, h('table', { class: 'result' }, h('tbody', {}, shown))),
    all.length > limit ? h('div', { class: 'note info' }, `${limit} of ${all.length} series are shown. `, h('button', {
      class: 'link', type: 'button', onclick: () => ResultTable(element, data, isUTC, asked, all.length),
    }, 'Show all')) : undefined);
  return () => { for (const stop of stops) stop(); };
}

/// The value as a button that opens and closes the arithmetic beneath its line.
function pointButton(text, row, labels, { expr, time }, isUTC, stops) {
  let open;
  const button = h('button', {
    class: 'point', type: 'button', title: 'How this value came about', 'aria-expanded': 'false',
    onclick: () => {
      if (open) {
        open.stop();
        stops.delete(open.stop);
        open.line.remove();
        open = undefined;
      } else {
        const place = h('div', {});
        const line = h('tr', { class: 'arithmetic' }, h('td', { colspan: 2 }, place));
        open = { line, stop: PointView(place, { expr, time, labels }, isUTC) };
        stops.add(open.stop);
        row().after(line);
      }
      button.setAttribute('aria-expanded', String(open !== undefined));
    },
  }, text);
  return button;
}

function rows({ resultType, result }) {
  if (resultType === 'scalar' || resultType === 'string') return [[undefined, () => result[1]]];
  return result.map(({ metric, value, values, histogram, histograms }) => [metric, (isUTC) => {
    if (value) return value[1];
    if (histogram) return HistogramPicture(histogram[1]);
    const list = [...values ?? [], ...histograms ?? []].sort(([a], [b]) => a - b);
    // Newest first, and not the whole of a long range.
    const lines = list.slice(-100).reverse().map(([time, item]) =>
      h('div', {}, typeof item === 'string' ? item : HistogramPicture(item), h('span', { class: 'at' }, ` @ ${formatTime(time, isUTC)}`)));
    return [lines, list.length > 100 ? h('div', { class: 'at' }, `… ${list.length - 100} more`) : undefined];
  }]);
}
