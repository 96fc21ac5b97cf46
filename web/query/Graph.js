// A graph of columns: uPlot on a canvas, a legend under it, the value under the pointer next to it.
//
//   columns [times, values …] + labels  ─▶  lines or stacked areas  ─▶  onselect(start, end) when a span is dragged
//
// uPlot is fetched by `make setup`; a build without it says so in place of the graph.

import { h, fill } from '../app/Dom.js';
import { drawable, stacked, labelDifferences, summary, shortNumber, axisLabels, formatTime, timeLabels } from './QueryLogic.js';
import { seriesText } from './SeriesText.js';

/// Series drawn at first; the rest on demand. A canvas draws more, but nobody reads them.
export const drawnAtFirst = 100;
/// Colours of vars.css.
const paletteSize = 12;
const height = 320;

let library;

/// Loads uPlot once. Rejects where this build has none.
function loadLibrary() {
  library ??= new Promise((resolve, reject) => {
    const style = h('link', { rel: 'stylesheet', href: 'assets/vendor/uPlot.min.css' });
    const script = h('script', {
      src: 'assets/vendor/uPlot.iife.js', onload: () => (window.uPlot ? resolve(window.uPlot) : reject(new Error('no uPlot'))),
      onerror: () => reject(new Error('no uPlot')),
    });
    document.head.append(style, script);
  });
  return library;
}

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/// Fills `element`; returns what frees it. `data` is { columns, labels }, `range` { start, end } in seconds.
export function Graph(element, { data, range, isStacked, isUTC, onselect }) {
  let plot, observer, isOver = false;
  fill(element, h('div', { class: 'graph-wait' }));
  loadLibrary().then((uPlot) => {
    if (isOver) return;
    const drawing = draw(element, uPlot, { data, range, isStacked, isUTC, onselect });
    plot = drawing.plot;
    observer = new ResizeObserver(() => {
      const width = drawing.canvas.clientWidth;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height });
    });
    observer.observe(drawing.canvas);
  }, () => {
    if (isOver) return;
    fill(element, h('div', { class: 'note info' }, 'Graphs are drawn with uPlot, and this build does not contain it. Run ',
      h('code', {}, 'make setup'), ', build again, and graphs appear here; the table works without.'));
  });
  return () => {
    isOver = true;
    observer?.disconnect();
    plot?.destroy();
  };
}

function draw(element, uPlot, { data, range, isStacked, isUTC, onselect }) {
  const canvas = h('div', { class: 'graph-canvas' });
  const tip = h('div', { class: 'graph-tip', hidden: true });
  const { shared, own } = labelDifferences(data.labels);
  const colour = (index) => css(`--series-${index % paletteSize}`);
  const visible = data.labels.map(() => true);
  const finite = drawable(data.columns);

  const columnsNow = () => {
    if (!isStacked) return finite;
    const shown = finite.map((column, index) => (index === 0 || visible[index - 1] ? column : column.map(() => null)));
    return stacked(shown);
  };

  let focused = -1;
  const showTip = (plot) => {
    const { idx, left, top } = plot.cursor;
    if (idx === null || idx === undefined || left < 0) return void (tip.hidden = true);
    let series = focused;
    if (series < 0 || data.columns[series + 1][idx] === null) {
      series = nearest(plot, idx, top, visible);
      if (series < 0) return void (tip.hidden = true);
    }
    const value = data.columns[series + 1][idx];
    const mark = h('i', { class: 'swatch' });
    mark.style.background = colour(series);
    fill(tip, h('div', { class: 'when' }, formatTime(data.columns[0][idx], isUTC)),
      h('div', { class: 'what' }, mark, h('b', {}, value === null ? 'no value' : shortNumber(value)),
        value !== null && Number.isFinite(value) && shortNumber(value) !== String(value) ? h('span', { class: 'exact' }, String(value)) : undefined),
      seriesText({ ...shared, ...own[series] }));
    tip.hidden = false;
    const width = plot.over.clientWidth, offset = plot.over.offsetLeft;
    const isRight = left > width / 2;
    tip.style.left = isRight ? '' : `${offset + left + 14}px`;
    tip.style.right = isRight ? `${canvas.clientWidth - offset - left + 14}px` : '';
    tip.style.top = `${Math.max(0, Math.min(top - 20, height - 120))}px`;
  };

  const axis = {
    stroke: css('--muted'), font: `11px ${css('--text')}`, grid: { stroke: css('--grid'), width: 1 },
    ticks: { stroke: css('--grid'), width: 1, size: 4 },
  };
  const options = {
    width: Math.max(element.clientWidth, 200), height, legend: { show: false }, padding: [10, 12, 0, 0],
    tzDate: (seconds) => (isUTC ? uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC') : new Date(seconds * 1000)),
    scales: {
      x: { time: true, range: () => [range.start, range.end > range.start ? range.end : range.start + 1] },
      y: { range: (_, least, greatest) => verticalRange(least, greatest, isStacked) },
    },
    axes: [
      { ...axis, space: 70, values: (plot, times) => timeLabels(times, isUTC) },
      { ...axis, size: 62, space: 34, values: (plot, values) => axisLabels(values.filter((value) => value !== null)) },
    ],
    cursor: { drag: { x: true, y: false, setScale: false }, focus: { prox: 28 }, points: { size: 6 } },
    focus: { alpha: 0.28 },
    series: [{}, ...data.labels.map((_, index) => ({
      stroke: colour(index), width: isStacked ? 1 : 1.5, spanGaps: false,
      fill: isStacked ? `${colour(index)}b0` : undefined, points: { show: isLonely },
    }))],
    bands: isStacked ? bands(visible) : undefined,
    hooks: {
      setCursor: [showTip],
      setSeries: [(plot, index, change) => {
        if ('focus' in change) {
          focused = index === null ? -1 : index - 1;
          showTip(plot);
        }
      }],
      setSelect: [(plot) => {
        if (plot.select.width < 4) return;
        const start = plot.posToVal(plot.select.left, 'x'), end = plot.posToVal(plot.select.left + plot.select.width, 'x');
        onselect(start, end);
      }],
    },
  };

  const legend = Legend({
    labels: own, shared, columns: data.columns, colour, visible,
    focus: (index) => plot.setSeries(index < 0 ? null : index + 1, { focus: index >= 0 }),
    show: () => {
      visible.forEach((isVisible, index) => {
        if (plot.series[index + 1].show !== isVisible) plot.setSeries(index + 1, { show: isVisible });
      });
      if (isStacked) {
        plot.delBand(null);
        for (const band of bands(visible)) plot.addBand(band);
        plot.setData(columnsNow());
      }
    },
  });
  const isEmpty = finite.slice(1).every((column) => column.every((value) => value === null));
  fill(element, isEmpty ? h('div', { class: 'note info' }, 'All values are NaN or infinite: there is no line to draw.') : undefined, canvas, legend);
  options.width = Math.max(canvas.clientWidth, 200);
  const plot = new uPlot(options, columnsNow(), canvas);
  canvas.append(tip);
  plot.over.addEventListener('mouseleave', () => { tip.hidden = true; });
  return { plot, canvas };
}

/// Areas between each visible line and the one below it.
function bands(visible) {
  const shown = visible.flatMap((isVisible, index) => (isVisible ? [index + 1] : []));
  return shown.slice(1).map((index, position) => ({ series: [index, shown[position]] }));
}

/// Points are drawn where a series has few values: a line through one value cannot be seen.
function isLonely(plot, index) {
  const column = plot.data[index];
  let count = 0;
  for (const value of column) if (value !== null) count += 1;
  return count > 0 && count <= Math.max(2, column.length / 60);
}

function nearest(plot, idx, top, visible) {
  let best = -1, distance = Infinity;
  for (let index = 1; index < plot.data.length; index += 1) {
    const value = plot.data[index][idx];
    if (!visible[index - 1] || value === null || value === undefined) continue;
    const away = Math.abs(plot.valToPos(value, 'y') - top);
    if (away < distance) [best, distance] = [index - 1, away];
  }
  return best;
}

/// A tenth of room above and below; zero stays at the bottom where it is near, and a constant gets a span.
function verticalRange(least, greatest, isStacked) {
  if (least === null || greatest === null || !Number.isFinite(least) || !Number.isFinite(greatest)) return [0, 1];
  let low = isStacked ? Math.min(0, least) : least, high = greatest;
  if (low === high) {
    const room = low === 0 ? 1 : Math.abs(low) * 0.1;
    return low >= 0 && low - room < 0 ? [0, high + room] : [low - room, high + room];
  }
  const span = high - low;
  if (low >= 0 && low < span * 0.6) low = 0;
  else if (low !== 0) low -= span * 0.06;
  if (high !== 0) high += span * 0.08;
  // At the end of the numbers a margin would be infinite, and no axis has that.
  return [Number.isFinite(low) ? low : least, Number.isFinite(high) ? high : greatest];
}

/// One line per series: colour, the labels that differ, last value, least, mean and greatest. Shared labels stand once, above.
function Legend({ labels, shared, columns, colour, visible, focus, show }) {
  const rows = labels.map((own, index) => {
    const mark = h('i', { class: 'swatch' });
    mark.style.background = colour(index);
    const numbers = summary(columns[index + 1]);
    const cell = (value) => h('td', { title: value === undefined ? '' : String(value) }, value === undefined ? '–' : shortNumber(value));
    return h('tr', {
      tabindex: 0, role: 'button', 'aria-pressed': 'true', title: 'Click: this one alone. Ctrl-click: show or hide.',
      onclick: (event) => press(index, event.ctrlKey || event.metaKey),
      onkeydown: (event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          press(index, event.ctrlKey || event.metaKey);
        }
      },
      onmouseenter: () => focus(index), onmouseleave: () => focus(-1),
    }, h('td', { class: 'label' }, h('div', {}, mark, seriesText(own))), cell(numbers?.last), cell(numbers?.least), cell(numbers?.mean), cell(numbers?.greatest));
  });

  function press(index, isOne) {
    if (isOne) {
      visible[index] = !visible[index];
    } else {
      const isAlone = visible[index] && visible.every((isVisible, other) => isVisible === (other === index));
      visible.forEach((_, other) => { visible[other] = isAlone || other === index; });
    }
    rows.forEach((row, other) => row.setAttribute('aria-pressed', String(visible[other])));
    show();
  }

  const common = Object.keys(shared).length > 0 ? h('caption', {}, 'all: ', seriesText(shared)) : undefined;
  return h('div', { class: 'legend' }, h('table', {}, common,
    h('thead', {}, h('tr', {}, h('th', {}, 'Series'), ['last', 'min', 'mean', 'max'].map((name) => h('th', {}, name)))),
    h('tbody', {}, rows)));
}
