// The history page: what fired, who was told, what was silenced, as a timeline with the newest on top. Asks again every 15 seconds.

import { h, fill } from '../app/Dom.js';
import * as Api from './Api.js';
import { address } from './Addresses.js';
import { addressOfView, count, days, kindOf, kinds, limitAtMost, matching, viewFromAddress } from './HistoryLogic.js';
import { isUTC, Labels, Refusal } from './Labels.js';
import { MatcherField } from './MatcherField.js';
import { adding, equals } from './Matchers.js';
import { isReading, keepingFocus, Refresh } from './Refresh.js';
import { reasonText } from './WhyLogic.js';

const refreshEvery = 15000;

/// Fills `element`; returns what ends the page.
export function HistoryPage(element) {
  let view = viewFromAddress(location.search);
  let events, features = { explain: false };
  const field = MatcherField(view.filter, { label: 'Filter by matchers', changed: (filter) => ask({ filter }) });
  const search = h('input', { type: 'search', value: view.search, placeholder: 'Search in texts', 'aria-label': 'Search in texts', oninput: () => take({ search: search.value }) });
  const choice = h('span', { class: 'group wrapping', role: 'group', 'aria-label': 'Kind of event' });
  const note = h('div', {});
  const list = h('div', {});
  fill(element, h('div', { class: 'bar' }, field.element, search), h('div', { class: 'bar' }, choice, h('span', { class: 'space' }),
    h('span', { class: 'actions' }, h('button', { type: 'button', class: 'link', onclick: () => refresh.now() }, 'Refresh'))), note, list);

  function take(change) {
    view = { ...view, ...change };
    history.replaceState(null, '', addressOfView(view));
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

  function draw() {
    if (events === undefined) return;
    keepingFocus(choice, () => fill(choice, [['', 'All'], ...Object.entries(kinds).map(([kind, { short }]) => [kind, short])].map(([kind, title]) => h('button', {
      type: 'button', 'aria-pressed': String(view.kind === kind), 'data-focus': kind || 'all', onclick: () => take({ kind }),
    }, `${title} ${count(events, kind)}`))));
    const found = matching(events, view);
    const isFull = events.length >= view.limit && view.limit < limitAtMost;
    keepingFocus(list, () => fill(list, days(found, isUTC()).map((day) => h('section', { class: 'day' }, h('h2', {}, day.day || 'at no known time'),
      h('ol', { class: 'card timeline' }, day.events.map(({ clock, event }, index) => Event(clock, event, index))))),
    found.length === 0 ? h('div', { class: 'empty' }, events.length === 0 ? 'Nothing has happened yet.' : 'No event matches.') : undefined,
    isFull ? h('div', { class: 'empty' }, h('button', { type: 'button', 'data-focus': 'older', onclick: () => ask({ limit: Math.min(view.limit * 2, limitAtMost) }) }, 'Show older events')) : undefined));
  }

  function Event(clock, event, index) {
    const { title, tone } = kindOf(event);
    const to = event.receiver ? ` ${event.receiver}` : '';
    const labels = event.labels ?? {};
    return h('li', { class: `event ${tone}`, 'data-key': `${event.time} ${event.kind} ${index}` },
      h('span', { class: 'clock' }, clock),
      h('div', { class: 'what' },
        h('div', { class: 'event-head' }, h('b', {}, title, to), event.integration ? h('span', { class: 'muted' }, `by ${event.integration}`) : undefined,
          event.reason ? h('span', { class: 'muted' }, reasonText(event.reason)) : undefined,
          event.fingerprint && features.explain ? h('span', { class: 'actions' }, h('a', { href: address('alerts', { why: event.fingerprint, silenced: 'true', inhibited: 'true', muted: 'true' }), 'data-focus': 'why' }, 'Why?')) : undefined),
        Object.keys(labels).length > 0 ? Labels(labels, { press: narrow, verb: 'Show events with' }) : event.groupKey ? h('code', { class: 'muted' }, event.groupKey) : undefined,
        event.message ? h('div', { class: 'event-message' }, event.message) : undefined));
  }

  const refresh = Refresh(async (signal) => {
    events = (await Api.events(view, signal))?.events ?? [];
    fill(note);
    if (!isReading()) draw();
  }, (error) => fill(note, error.status === 404 ? h('div', { class: 'note info' }, 'This server keeps no history.') : Refusal(error)), refreshEvery);
  Api.features().then((found) => {
    features = found;
    draw();
  });
  window.addEventListener('minprom-settings', draw);
  return () => {
    refresh.end();
    window.removeEventListener('minprom-settings', draw);
  };
}
