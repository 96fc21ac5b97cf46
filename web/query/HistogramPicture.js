// A native histogram as a picture of its buckets: bars whose areas are the counts, and the bucket under the pointer in words.
//
//   pointer, or ← → Home End on the picture  ─▶  one bucket: bounds, count, share
//
// One path for all bars: a table of hundreds of histograms stays light.

import { h, fill } from '../app/Dom.js';
import { barAt, barsOf, histogramOf, intervalText, ticksOf } from './HistogramLogic.js';
import { shortNumber } from './QueryLogic.js';

const width = 420, height = 74;

/// The scale that the reader chose last; all pictures made from then on have it.
let kind = 'exponential';

/// `value` is the API's { count, sum, buckets }.
export function HistogramPicture(value) {
  const histogram = histogramOf(value);
  const picture = h('div', { class: 'histogram-bars' });
  const said = h('div', { class: 'histogram-said', 'aria-live': 'polite' });
  const element = h('div', { class: 'histogram' });
  const draw = () => fill(picture, Bars(histogram, kind, said));
  const scales = [['exponential', 'exp'], ['linear', 'lin']].map(([name, title]) => h('button', {
    type: 'button', class: 'link', title: `${name} scale`, 'aria-pressed': String(kind === name),
    onclick: () => {
      kind = name;
      scales.forEach((button, index) => button.setAttribute('aria-pressed', String(['exponential', 'linear'][index] === kind)));
      draw();
    },
  }, title));
  fill(element,
    h('div', { class: 'histogram-head' }, h('span', {}, 'count ', h('b', { title: value.count }, shortNumber(histogram.count)), ' · sum ',
      h('b', { title: value.sum }, shortNumber(histogram.sum)), mean(histogram)),
    histogram.buckets.length > 0 ? h('span', { class: 'histogram-scales' }, scales) : undefined),
    histogram.buckets.length > 0 ? [picture, said, List(histogram)] : h('div', { class: 'at' }, 'all buckets are empty'));
  if (histogram.buckets.length > 0) draw();
  return element;
}

function mean({ count, sum }) {
  const value = sum / count;
  return Number.isFinite(value) ? [' · mean ', h('b', { title: String(value) }, shortNumber(value))] : undefined;
}

function Bars({ count, buckets }, scale, said) {
  const bars = barsOf(buckets, scale);
  const x = (share) => Math.round(share * width * 100) / 100;
  const y = (share) => Math.round((height - share * height) * 100) / 100;
  const outline = (bar) => `M${x(bar.from)} ${height}V${Math.min(y(bar.height), height - (bar.bucket.count === 0 ? 0 : 1))}H${x(bar.to)}V${height}Z`;
  const marked = svg('path', { class: 'marked' });
  let chosen = -1;
  const choose = (index) => {
    if (index === chosen) return;
    chosen = index;
    const bar = bars[index];
    marked.setAttribute('d', bar ? outline(bar) : '');
    fill(said, bar ? [h('b', {}, intervalText(bar.bucket)), ` count ${bar.bucket.count}`, share(bar.bucket.count, count)] : '\u00a0');
  };
  const drawing = svg('svg', {
    viewBox: `0 0 ${width} ${height + 16}`, width, height: height + 16, tabindex: 0, role: 'img', class: 'bars',
    'aria-label': `${buckets.length} buckets from ${buckets[0].low} to ${buckets[buckets.length - 1].high}. Arrow keys go from bucket to bucket.`,
  },
    svg('path', { class: 'all', d: bars.filter(({ bucket }) => bucket.count >= 0).map(outline).join('') }),
    svg('path', { class: 'below', d: bars.filter(({ bucket }) => bucket.count < 0).map(outline).join('') }), marked,
    svg('path', { class: 'ground', d: `M0 ${height + 0.5}H${width}` }),
    ticksOf(bars, 0.13).map(({ at, value }) => {
      const text = svg('text', { x: x(at), y: height + 12, 'text-anchor': at < 0.06 ? 'start' : at > 0.94 ? 'end' : 'middle' });
      text.append(shortNumber(value));
      return text;
    }));
  drawing.addEventListener('pointermove', (event) => {
    const box = drawing.getBoundingClientRect();
    choose(barAt(bars, (event.clientX - box.left) / box.width));
  });
  drawing.addEventListener('pointerleave', () => choose(-1));
  drawing.addEventListener('blur', () => choose(-1));
  drawing.addEventListener('keydown', (event) => {
    const last = bars.length - 1;
    const next = { ArrowRight: Math.min(chosen + 1, last), ArrowLeft: chosen < 0 ? last : Math.max(chosen - 1, 0), Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
  });
  choose(-2);
  return drawing;
}

const share = (part, whole) => (Number.isFinite(part / whole) ? h('span', { class: 'at' }, ` ${Number(((part / whole) * 100).toPrecision(3))} %`) : undefined);

/// All buckets in words, for those who want them exactly; made when it is opened.
function List({ buckets }) {
  const details = h('details', { class: 'histogram-list' }, h('summary', {}, `${buckets.length} buckets`));
  details.addEventListener('toggle', () => {
    if (!details.open || details.children.length > 1) return;
    details.append(h('table', {}, h('tbody', {}, buckets.map((bucket) => h('tr', {}, h('td', {}, intervalText(bucket)), h('td', {}, String(bucket.count)))))));
  });
  return details;
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
}
