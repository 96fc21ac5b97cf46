// The arithmetic behind one point: what the server says of it, as a tree that can be folded.
//
//   rate {job="api"} = 2.05
//     first sample   …            samples
//     result         595 * … = 2.05

import { h, fill } from '../app/Dom.js';
import * as Api from '../app/Api.js';
import { formatTime } from './QueryLogic.js';
import { seriesText } from './SeriesText.js';
import { metricText, opensAtFirst, shownSamples } from './ExplainLogic.js';

/// Fills `element` with the point of series `labels` (undefined: the only one) at `time`, in seconds; returns what stops it.
export function PointView(element, { expr, time, labels }, isUTC) {
  const request = new AbortController();
  fill(element, h('div', { class: 'empty' }, 'computing…'));
  Api.explainPoint({ expr, time, metric: labels === undefined ? undefined : metricText(labels) }, request.signal).then(
    ({ data }) => fill(element, Part(data.point, isUTC, 0)),
    (error) => {
      if (error.name !== 'AbortError') fill(element, h('div', { class: 'note bad', role: 'alert' }, h('pre', {}, error.message)));
    });
  return () => request.abort();
}

function Part(part, isUTC, depth) {
  const hasMore = part.steps.length > 0 || part.samples.length > 0 || part.inputs.length > 0;
  const head = [h('b', {}, part.title), ' ', Object.keys(part.metric).length > 0 ? seriesText(part.metric) : undefined,
    h('span', { class: 'equals' }, ' = '), h('span', { class: 'value' }, part.value),
    depth === 0 || part.expression === '' ? h('span', { class: 'at' }, ` at ${formatTime(part.time, isUTC)}`) : undefined];
  if (!hasMore) return h('div', { class: 'point-part leaf' }, head);
  return h('details', { class: 'point-part', open: opensAtFirst(part, depth) }, h('summary', {}, head),
    h('div', { class: 'point-body' }, Samples(part, isUTC), Steps(part.steps)),
    part.inputs.map((input) => Part(input, isUTC, depth + 1)),
    part.omittedInputs > 0 ? h('div', { class: 'point-part leaf at' }, `… ${part.omittedInputs} more`) : undefined);
}

function Steps(steps) {
  if (steps.length === 0) return undefined;
  return h('table', { class: 'point-steps' }, h('tbody', {}, steps.map(({ name, formula, value, note }) => h('tr', { class: name === 'result' ? 'result-line' : undefined },
    h('th', { scope: 'row' }, name), h('td', { class: 'formula' }, formula === '' ? undefined : h('code', {}, formula)),
    h('td', { class: 'number' }, value === undefined ? '' : [formula === '' ? '' : '= ', value]), h('td', { class: 'at' }, note)))));
}

function Samples({ samples, omittedSamples }, isUTC) {
  if (samples.length === 0) return undefined;
  return h('table', { class: 'point-samples' }, h('tbody', {},
    omittedSamples > 0 ? h('tr', {}, h('td', { class: 'at', colspan: 3 }, `… ${omittedSamples} before`)) : undefined,
    shownSamples(samples).map(({ sample, gap }) => (gap
      ? h('tr', {}, h('td', { class: 'at', colspan: 3 }, `… ${gap} more`))
      : h('tr', {}, h('td', { class: 'at' }, formatTime(sample[0], isUTC)), h('td', { class: 'number' }, sample[1]), h('td', { class: 'remark' }, sample[2]))))));
}
