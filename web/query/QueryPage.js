// The query page: panels under each other, and on a first visit a few questions worth asking.
//
// The address holds all panels in upstream's parameters, so that every view is a link and “back” undoes a step.

import { h, fill } from '../app/Dom.js';
import { metricNames } from './ExpressionField.js';
import { QueryPanel } from './QueryPanel.js';
import { addressOfPanels, emptyPanel, panelsFromAddress } from './QueryLogic.js';
import { suggestions } from './Suggestions.js';

/// Fills `element`; returns what ends the page.
export function QueryPage(element) {
  let panels = [];
  const list = h('div', { class: 'panels' });
  const ideas = h('div', { class: 'ideas' });
  const add = h('button', { type: 'button', class: 'add', onclick: () => addPanel({ ...emptyPanel, tab: 'graph' }).focus() }, '+ Add panel');
  fill(element, list, h('div', { class: 'below' }, add), ideas);

  const save = () => {
    const address = addressOfPanels(panels.map((panel) => panel.state));
    if (address !== location.search) history.pushState(null, '', `query${address}`);
    drawIdeas();
  };

  function addPanel(state, after) {
    const panel = QueryPanel(state, {
      changed: save,
      remove: () => {
        panel.end();
        panel.element.remove();
        panels = panels.filter((other) => other !== panel);
        if (panels.length === 0) addPanel({ ...emptyPanel, tab: 'graph' });
        save();
      },
      duplicate: (copy) => {
        addPanel(copy, panel);
        save();
      },
    });
    if (after) {
      after.element.after(panel.element);
      panels.splice(panels.indexOf(after) + 1, 0, panel);
    } else {
      list.append(panel.element);
      panels.push(panel);
    }
    return panel;
  }

  function load() {
    for (const panel of panels) panel.end();
    panels = [];
    fill(list);
    const states = panelsFromAddress(location.search);
    for (const state of states.length > 0 ? states : [{ ...emptyPanel, tab: 'graph' }]) addPanel(state);
    drawIdeas();
  }

  /// Only questions this server has data for, while nothing is asked yet.
  async function drawIdeas() {
    const isFresh = () => panels.every((panel) => panel.state.expr.trim() === '');
    ideas.hidden = !isFresh();
    if (ideas.hidden) return;
    const names = new Set(await metricNames());
    const known = suggestions.filter(({ needs }) => names.has(needs));
    ideas.hidden = known.length === 0 || !isFresh();
    fill(ideas, h('h2', {}, 'Worth asking'), h('div', { class: 'cards' }, known.map((idea) => h('button', {
      type: 'button', class: 'card',
      onclick: () => panels[0].update({ expr: idea.expr, tab: idea.tab ?? 'graph', range: idea.range ?? 300, stacked: idea.stacked ?? false }),
    }, h('b', {}, idea.title), h('code', {}, idea.expr)))));
  }

  const back = () => {
    if (/\/targets$/.test(location.pathname)) return;
    load();
  };
  window.addEventListener('popstate', back);
  load();
  if (panels[0].state.expr === '') panels[0].focus();

  return () => {
    window.removeEventListener('popstate', back);
    for (const panel of panels) panel.end();
  };
}
