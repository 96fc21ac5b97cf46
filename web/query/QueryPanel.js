// One panel: an expression, its controls, and the answer as a table or a graph, or how the answer was worked out.
//
//   state ─▶ controls;  run ─▶ Api ─▶ answer ─▶ view
//
// The panel owns a copy of its state and tells the page of every change (`changed(state)`); the page writes the address.

import { h, fill } from '../app/Dom.js';
import * as Api from '../app/Api.js';
import * as Settings from '../app/Settings.js';
import { ExpressionField } from './ExpressionField.js';
import { Graph, drawnAtFirst } from './Graph.js';
import { Heatmap, heatmapsAtFirst } from './Heatmap.js';
import { PlanTree } from './PlanTree.js';
import { ResultTable } from './ResultTable.js';
import {
  automaticStep, columnsOfMatrix, formatDuration, formatTime, nextRange, parseDuration, parseTime, rangeRequest,
} from './QueryLogic.js';

/// Returns { element, state, run, focus, end }.
export function QueryPanel(initial, { changed, remove, duplicate }) {
  let state = { ...initial };
  let request, freeView = () => {}, lastAnswer;

  const field = ExpressionField({ value: state.expr, run: (expr) => update({ expr }) });
  const runButton = h('button', { class: 'primary', type: 'button', onclick: () => update({ expr: field.value }) }, 'Run');
  const controls = h('div', { class: 'controls' });
  const status = h('span', { class: 'status', role: 'status' });
  const notes = h('div', { class: 'notes' });
  const view = h('div', { class: 'view' });
  const element = h('section', { class: 'panel', 'aria-label': 'Query' },
    h('div', { class: 'ask' }, field.element, runButton,
      h('button', {
        class: 'icon text', type: 'button', title: 'The same panel once more', onclick: () => duplicate({ ...state, expr: field.value }),
      }, 'Copy'),
      h('button', { class: 'icon', type: 'button', title: 'Remove this panel', 'aria-label': 'Remove this panel', onclick: remove }, '×')),
    h('div', { class: 'bar' }, controls, status), notes, view);

  /// Takes a change of state, shows it, and asks again. What was typed counts, run or not.
  function update(change) {
    state = { ...state, expr: field.value, ...change };
    if (field.value !== state.expr) field.value = state.expr;
    drawControls();
    changed(state);
    run();
  }

  function input(value, title, take) {
    const element = h('input', {
      type: 'text', value, title, 'aria-label': title, spellcheck: 'false',
      onchange: () => {
        const isRight = take(element.value);
        if (isRight) element.removeAttribute('aria-invalid');
        else element.setAttribute('aria-invalid', 'true');
      },
    });
    return element;
  }

  function drawControls() {
    const isUTC = Settings.get().zone === 'utc';
    const tab = (name, title) => h('button', {
      type: 'button', 'aria-pressed': String(state.tab === name), onclick: () => update({ tab: name }),
    }, title);
    const button = (text, title, action) => h('button', { type: 'button', title, 'aria-label': title, onclick: action }, text);
    const isGraph = state.tab === 'graph', isRange = state.tab !== 'table';
    const now = () => Math.floor(Date.now() / 1000);

    const range = input(formatDuration(state.range), 'Range', (text) => {
      const seconds = parseDuration(text);
      if (seconds !== undefined) update({ range: seconds });
      return seconds !== undefined;
    });
    range.classList.add('short');
    const end = input(state.end === undefined ? '' : formatTime(state.end, isUTC), isRange ? 'End time' : 'Evaluation time', (text) => {
      const time = text.trim() === '' || text.trim() === 'now' ? undefined : parseTime(text, isUTC);
      const isRight = time !== undefined || text.trim() === '' || text.trim() === 'now';
      if (isRight) update({ end: time });
      return isRight;
    });
    end.placeholder = 'now';
    const shift = (isRange ? state.range : 3600) / 2;
    const step = input(state.step === undefined ? '' : formatDuration(state.step), 'Resolution: time between two points', (text) => {
      const seconds = text.trim() === '' ? undefined : parseDuration(text);
      const isRight = seconds !== undefined || text.trim() === '';
      if (isRight) update({ step: seconds });
      return isRight;
    });
    step.classList.add('short');
    step.placeholder = `${formatDuration(automaticStep(state.range))} auto`;

    fill(controls, h('span', { class: 'group' }, tab('table', 'Table'), tab('graph', 'Graph'), tab('explain', 'Explain')),
      isRange ? h('span', { class: 'group' }, button('−', 'Shorter range', () => update({ range: nextRange(state.range, -1) })), range,
        button('+', 'Longer range', () => update({ range: nextRange(state.range, 1) }))) : undefined,
      h('span', { class: 'group' }, button('‹', 'Earlier', () => update({ end: (state.end ?? now()) - shift })), end,
        state.end === undefined ? undefined : button('now', 'Back to now', () => update({ end: undefined })),
        button('›', 'Later', () => update({ end: (state.end ?? now()) + shift }))),
      isRange ? step : undefined,
      isGraph ? h('span', { class: 'group' }, [['Lines', false], ['Stacked', true]].map(([title, isStacked]) => h('button', {
        type: 'button', 'aria-pressed': String(state.stacked === isStacked), onclick: () => update({ stacked: isStacked }),
      }, title))) : undefined);
  }

  async function run() {
    request?.abort();
    if (state.expr.trim() === '') {
      lastAnswer = undefined;
      fill(notes);
      fill(status);
      freeView();
      fill(view);
      return;
    }
    const mine = request = new AbortController();
    const began = performance.now(), now = Date.now() / 1000;
    const asked = state.tab === 'table' ? { expr: state.expr, time: state.end ?? now } : rangeRequest(state, now);
    const ask = { table: Api.query, graph: Api.queryRange, explain: Api.analyzeRange }[state.tab];
    element.classList.add('running');
    fill(status, 'running…');
    try {
      const answer = await ask(asked, mine.signal);
      if (mine !== request) return;
      lastAnswer = { ...answer, asked, tab: state.tab, seconds: (performance.now() - began) / 1000 };
      show();
    } catch (error) {
      if (mine !== request || error.name === 'AbortError') return;
      lastAnswer = undefined;
      freeView();
      freeView = () => {};
      fill(view);
      fill(status);
      fill(notes, h('div', { class: 'note bad', role: 'alert' }, h('b', {}, errorTitle(error.type)), h('pre', {}, error.message)));
    } finally {
      if (mine === request) element.classList.remove('running');
    }
  }

  function show() {
    if (!lastAnswer) return;
    const { data, warnings, infos, asked, tab, seconds } = lastAnswer;
    const isUTC = Settings.get().zone === 'utc';
    freeView();
    freeView = () => {};
    if (tab === 'graph') {
      const { columns, labels, histograms } = columnsOfMatrix(data.result, asked);
      if (labels.length === 0 && histograms.length === 0) fill(view, h('div', { class: 'empty' }, 'No data in this range.'));
      else drawAll({ columns, labels, histograms }, asked, isUTC);
    } else if (tab === 'explain') {
      PlanTree(view, data.explain.tree, asked.expr);
      fill(status, `${formatDuration(asked.end - asked.start)} every ${formatDuration(asked.step)} · ${Math.round(seconds * 1000)} ms with the way here and back`);
      fill(notes);
      return;
    } else {
      freeView = ResultTable(view, data, isUTC, asked);
    }
    const count = Array.isArray(data.result) && (data.resultType === 'vector' || data.resultType === 'matrix') ? data.result.length : 1;
    fill(status, [
      `${count} series`, tab === 'graph' ? `every ${formatDuration(asked.step)}` : `at ${formatTime(asked.time, isUTC)}`,
      `${Math.round(seconds * 1000)} ms`,
    ].join(' · '));
    fill(notes, warnings.map((text) => h('div', { class: 'note warn' }, h('pre', {}, text))),
      infos.map((text) => h('div', { class: 'note info' }, h('pre', {}, text))));
  }

  const select = (start, end) => update({ range: Math.max(Math.round(end - start), 5), end: Math.round(end) });

  /// Floats as a graph, and beneath it a heat map for each series of native histograms.
  function drawAll({ columns, labels, histograms }, asked, isUTC, limits = { lines: drawnAtFirst, maps: heatmapsAtFirst }) {
    freeView();
    const more = (shown, all, what, change) => (all > shown ? h('div', { class: 'note info' }, `${shown} of ${all} ${what} are drawn. `, h('button', {
      class: 'link', type: 'button', onclick: () => drawAll({ columns, labels, histograms }, asked, isUTC, { ...limits, ...change }),
    }, 'Draw all')) : undefined);
    const lines = labels.length > 0 ? h('div', {}) : undefined;
    const maps = histograms.slice(0, limits.maps).map((series) => [h('div', {}), series]);
    fill(view, lines, more(limits.lines, labels.length, 'series', { lines: labels.length }), maps.map(([place]) => place),
      more(limits.maps, histograms.length, 'histograms', { maps: histograms.length }));
    const frees = maps.map(([place, { metric, histograms: points }]) =>
      Heatmap(place, { labels: metric, histograms: points, range: asked, isUTC, onselect: select }));
    if (lines) {
      frees.push(Graph(lines, {
        data: { columns: columns.slice(0, limits.lines + 1), labels: labels.slice(0, limits.lines) }, range: asked, isStacked: state.stacked,
        isUTC, onselect: select,
      }));
    }
    freeView = () => { for (const free of frees) free(); };
  }

  const restyle = () => {
    drawControls();
    show();
  };
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  window.addEventListener('minprom-settings', restyle);
  scheme.addEventListener('change', restyle);
  drawControls();
  if (state.expr.trim() !== '') run();

  return {
    element,
    get state() { return { ...state, expr: field.value }; },
    update,
    focus: field.focus,
    end: () => {
      request?.abort();
      request = undefined;
      freeView();
      window.removeEventListener('minprom-settings', restyle);
      scheme.removeEventListener('change', restyle);
    },
  };
}

function errorTitle(type) {
  const titles = {
    bad_data: 'The query cannot be read', execution: 'The query failed', timeout: 'The query took too long',
    canceled: 'The query was cancelled', unavailable: 'The server is not ready', network: 'No answer',
  };
  return titles[type] ?? 'Error';
}
