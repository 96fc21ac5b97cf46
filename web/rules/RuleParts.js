// What the pages of rules and alerts have in common: the filter line, the pace of questions, and parts of a rule.

import { h, fill } from '../app/Dom.js';
import * as Api from '../app/Api.js';
import { addressOfFilter, filterFromAddress, graphAddress, linkPieces } from './RulesLogic.js';

const refreshEvery = 5000;

/// A page over `/api/v1/rules` with a filter `{ search, [kind]: … }` that lives in the address. `draw(groups, filter)` gives
/// { buttons: [[value, title]], content }. Returns what ends the page, and what draws it anew.
export function filteredPage(element, { page, kind, known, placeholder, draw }) {
  let filter = filterFromAddress(location.search, kind, known);
  let groups, timer, isOver = false;
  const request = new AbortController();

  const search = h('input', {
    type: 'search', value: filter.search, placeholder, 'aria-label': 'Filter', oninput: () => take({ search: search.value }),
  });
  const kinds = h('span', { class: 'group' });
  const note = h('div', {});
  const list = h('div', { class: 'rule-list' });
  fill(element, h('div', { class: 'rules-bar' }, kinds, search), note, list);

  function take(change) {
    filter = { ...filter, ...change };
    history.replaceState(null, '', `${page}${addressOfFilter(filter)}`);
    show();
  }

  function show() {
    if (!groups) return;
    const { buttons, content } = draw(groups, filter);
    fill(kinds, buttons.map(([value, title]) => h('button', {
      type: 'button', 'aria-pressed': String(filter[kind] === value), onclick: () => take({ [kind]: value }),
    }, title)));
    fill(list, content);
  }

  async function load() {
    clearTimeout(timer);
    try {
      const { data } = await Api.rules(request.signal);
      groups = data.groups ?? [];
      fill(note);
      // While a text is selected the rows stay, so that it can be copied; so does what has the focus.
      if (getSelection()?.isCollapsed !== false && !list.contains(document.activeElement)) show();
    } catch (error) {
      if (isOver) return;
      fill(note, h('div', { class: 'note bad', role: 'alert' }, h('pre', {}, error.message)));
    }
    if (!isOver) timer = setTimeout(load, refreshEvery);
  }

  const back = () => {
    filter = filterFromAddress(location.search, kind, known);
    search.value = filter.search;
    show();
  };
  window.addEventListener('minprom-settings', show);
  window.addEventListener('popstate', back);
  load();
  return {
    show,
    end: () => {
      isOver = true;
      clearTimeout(timer);
      request.abort();
      window.removeEventListener('minprom-settings', show);
      window.removeEventListener('popstate', back);
    },
  };
}

export const chips = (values, without = []) => Object.entries(values ?? {}).filter(([name]) => !without.includes(name))
  .map(([name, value]) => h('span', { class: 'chip' }, h('span', {}, `${name}=`), JSON.stringify(value)));

/// The expression, as a link to its graph.
export const expression = (query) =>
  h('a', { class: 'rule-expr', href: graphAddress(query), title: 'Show the graph' }, h('code', {}, query));

export const linked = (text) => linkPieces(text).map(({ text: piece, href }) =>
  (href ? h('a', { href, rel: 'noreferrer', target: '_blank' }, piece) : piece));

/// Annotations as a list of names and texts; nothing where there are none.
export function annotationList(annotations, show = (text) => text) {
  const entries = Object.entries(annotations ?? {});
  if (entries.length === 0) return undefined;
  return h('dl', { class: 'annotations' }, entries.map(([name, text]) => [h('dt', {}, name), h('dd', {}, show(text))]));
}

export const pill = (state, text = state) => h('span', { class: `rule-state ${state}` }, text);
