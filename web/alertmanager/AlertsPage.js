// The alerts page: alerts in the groups in which they are notified. Asks again every 15 seconds.

import { h, fill } from '../app/Dom.js';
import * as Api from './Api.js';
import { AlertGroup } from './AlertGroup.js';
import { address, newSilenceAddress } from './Addresses.js';
import { addressOfView, counts, groupKey, offers, shownGroups, states, viewFromAddress } from './AlertsLogic.js';
import { Press, Refusal } from './Labels.js';
import { MatcherField } from './MatcherField.js';
import { adding, equals } from './Matchers.js';
import { isReading, keepingFocus, Refresh } from './Refresh.js';
import { WhyPanel } from './WhyPanel.js';

const refreshEvery = 15000;
/// Groups drawn at first; the rest on demand.
const groupsAtFirst = 60;

/// Fills `element`; returns what ends the page.
export function AlertsPage(element) {
  let view = viewFromAddress(location.search);
  let answer, features = { explain: false, history: false }, receivers = [], groupLimit = groupsAtFirst;
  const closed = new Set(), opened = new Set();

  const field = MatcherField(view.filter, { label: 'Filter by matchers', changed: (filter) => ask({ filter }) });
  const receiver = h('select', { 'aria-label': 'Receiver', onchange: () => ask({ receiver: receiver.value }) });
  const silence = h('a', { class: 'button' }, 'New silence');
  const kinds = h('span', { class: 'group', role: 'group', 'aria-label': 'States shown' });
  const tally = h('span', { class: 'tally', role: 'status' });
  const fold = Press('', () => foldAll());
  const note = h('div', {});
  // An explanation of an alert that is in no group that is shown.
  const lone = h('div', {});
  const list = h('div', { class: 'cards-list' });
  const why = WhyPanel({ close: () => take({ why: '' }) });
  fill(element, h('div', { class: 'bar' }, field.element, receiver, silence),
    h('div', { class: 'bar' }, kinds, tally, h('span', { class: 'space' }), h('span', { class: 'actions' }, fold,
      Press('Refresh', () => refresh.now()))), note, lone, list);

  function take(change, isStep = true) {
    view = { ...view, ...change };
    history[isStep ? 'pushState' : 'replaceState'](null, '', addressOfView(view));
    draw();
  }

  function ask(change) {
    take(change);
    refresh.now();
  }

  function narrow({ name, value }) {
    const filter = adding(view.filter, equals(name, value));
    field.set(filter);
    ask({ filter });
  }

  function foldAll() {
    const keys = shownGroups(answer ?? [], view).groups.map(groupKey);
    const isAnyOpen = keys.some((key) => !closed.has(key));
    for (const key of keys) isAnyOpen ? closed.add(key) : closed.delete(key);
    draw();
  }

  function draw() {
    drawBar();
    if (answer === undefined) return;
    const { groups, alerts, hidden } = shownGroups(answer, view);
    const number = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`;
    fill(tally, `${number(alerts, 'alert')} in ${number(groups.length, 'group')}${hidden > 0 ? `, ${hidden} hidden` : ''}`);
    fill(fold, groups.some((group) => !closed.has(groupKey(group))) ? 'Fold all' : 'Unfold all');
    fold.hidden = groups.length === 0;
    why.show(features.explain ? view.why : '');
    let host = lone;
    const place = (fingerprint) => {
      // The same alert may be in several groups: the first one shows the explanation.
      if (fingerprint !== view.why || host !== lone || !features.explain) return undefined;
      host = why.element;
      return why.element;
    };
    keepingFocus(list, () => fill(list, groups.slice(0, groupLimit).map((group) => AlertGroup(group, {
      isOpen: !closed.has(groupKey(group)), isWhole: opened.has(groupKey(group)), features, why: view.why, place, narrow,
      fold: () => toggle(closed, groupKey(group)), showAll: () => toggle(opened, groupKey(group)),
      explain: (fingerprint) => take({ why: view.why === fingerprint ? '' : fingerprint }),
    })), rest(groups), groups.length === 0 ? empty(hidden) : undefined));
    fill(lone, host === lone && view.why !== '' && features.explain ? why.element : undefined);
  }

  function toggle(set, key) {
    if (!set.delete(key)) set.add(key);
    draw();
  }

  function rest(groups) {
    if (groups.length <= groupLimit) return undefined;
    return h('div', { class: 'empty' }, `${groupLimit} of ${groups.length} groups are shown. `, Press('Show all', () => {
      groupLimit = Infinity;
      draw();
    }));
  }

  function empty(hidden) {
    if (hidden > 0) {
      return h('div', { class: 'empty' }, `${hidden === 1 ? 'One alert is' : `${hidden} alerts are`} hidden by the choice of states. `,
        Press('Show all states', () => take(Object.fromEntries(states.map((state) => [state, true])))));
    }
    return h('div', { class: 'empty' }, view.filter.length > 0 || view.receiver !== '' ? 'No alert matches.' : 'No alerts: all is quiet.');
  }

  function drawBar() {
    const totals = counts(answer ?? []);
    const titles = { active: 'Active', silenced: 'Silenced', inhibited: 'Inhibited', muted: 'Muted' };
    keepingFocus(kinds, () => fill(kinds, states.map((state) => h('button', {
      type: 'button', 'aria-pressed': String(view[state]), 'data-focus': state, onclick: () => take({ [state]: !view[state] }),
    }, answer === undefined ? titles[state] : `${titles[state]} ${totals[state]}`))));
    const names = receivers.includes(view.receiver) || view.receiver === '' ? receivers : [view.receiver, ...receivers];
    if (document.activeElement !== receiver) {
      fill(receiver, h('option', { value: '' }, 'All receivers'), names.map((name) => h('option', { value: name }, name)));
      receiver.value = view.receiver;
    }
    silence.setAttribute('href', view.filter.length > 0 ? newSilenceAddress(view.filter) : address('silences', { new: true }));
    silence.textContent = view.filter.length > 0 ? 'Silence these' : 'New silence';
  }

  draw();
  const refresh = Refresh(async (signal) => {
    answer = await Api.alertGroups(view, signal) ?? [];
    fill(note);
    field.offer(offers(answer));
    if (isReading()) return;
    draw();
    why.refresh();
  }, (error) => fill(note, Refusal(error)), refreshEvery);
  Promise.all([Api.features(), Api.receivers().catch(() => [])]).then(([found, all]) => {
    features = found;
    receivers = all.map(({ name }) => name);
    draw();
  });
  window.addEventListener('minprom-settings', draw);
  return () => {
    refresh.end();
    why.end();
    window.removeEventListener('minprom-settings', draw);
  };
}
