// A query's plan with what each operator did: a table whose first column is a tree and whose second one shows where time went.

import { h, fill } from '../app/Dom.js';
import { expressionPieces, formatBytes, formatCount, formatNanoseconds, planRows } from './ExplainLogic.js';

/// Fills `element` with `tree`, the API's `explain.tree` of the query `expr`. A line under the pointer, or focused, shows its
/// part of the expression.
export function PlanTree(element, tree, expr) {
  const text = h('div', { class: 'plan-expr', 'aria-hidden': 'true' });
  const mark = (place) => {
    const [before, part, after] = expressionPieces(expr, place);
    fill(text, before, part === '' ? undefined : h('mark', {}, part), after);
  };
  mark();
  const rows = planRows(tree).map((row) => Row(row, mark));
  const heads = ['Part', 'Time of its own', 'With parts', 'Series', 'Points', 'Samples', 'Chunks', 'Read'];
  fill(element, text, h('div', { class: 'result-frame' }, h('table', { class: 'plan' },
    h('thead', {}, h('tr', {}, heads.map((name) => h('th', { scope: 'col' }, name)))), h('tbody', {}, rows))));
}

function Row({ title, detail, place, measures, lines, own }, mark) {
  const branches = lines.map((goesOn, level) => {
    if (level + 1 === lines.length) return goesOn ? '├─ ' : '└─ ';
    return goesOn ? '│  ' : '   ';
  }).join('');
  const number = (value, format) => h('td', { class: 'number' }, value === undefined || value === 0 ? '' : format(value));
  const bar = h('i', { class: 'bar-fill' });
  bar.style.width = `${(own * 100).toFixed(1)}%`;
  const storage = measures?.storage;
  return h('tr', { tabindex: 0, onmouseenter: () => mark(place), onmouseleave: () => mark(), onfocus: () => mark(place), onblur: () => mark() },
    h('td', { class: 'part' }, h('span', { class: 'branch' }, branches), h('b', {}, title), detail === '' ? undefined : [' ', h('span', { class: 'detail' }, detail)]),
    h('td', { class: 'time' }, measures ? [h('span', { class: 'bar-line' }, bar), formatNanoseconds(measures.ownNanoseconds)] : undefined),
    number(measures?.nanoseconds, formatNanoseconds), number(measures?.series, formatCount), number(measures?.points, formatCount),
    number(storage?.samples, formatCount), number(storage?.chunks, formatCount), number(storage?.bytes, formatBytes));
}
