// The history page: what fired, who was told, what was silenced, as a timeline with the newest on top. Asks again every 15 seconds.

import { h, fill } from '../app/Dom.js';
import * as Api from './Api.js';
import { anyAlertAddress } from './Addresses.js';
import { addressOfView, count, days, kindOf, kinds, limitAtMost, matching, viewFromAddress } from './HistoryLogic.js';
import { isUTC, Labels, Muted, Press, Refusal } from './Labels.js';
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
  const search = h('input', {
    type: 'search', value: view.search, placeholder: 'Search in texts', 'aria-label': 'Search in texts', oninput: () => take({ search: search.value }),
  });
  const choice = h('span', { class: 'group wrapping', role: 'group', 'aria-label': 'Kind of event' });
  const note = h('div', {});
  const list = h('div', {});
  fill(element, h('div', { class: 'bar' }, field.element, search), h('div', { class: 'bar' }, choice, h('span', { class: 'space' }),
    h('span', { class: 'actions' }, Press('Refresh', () => refresh.now()))), note, list);

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
    const titles = [['', 'All'], ...Object.entries(kinds).map(([kind, { short }]) => [kind, short])];
    keepingFocus(choice, () => fill(choice, titles.map(([kind, title]) => h('button', {
      type: 'button', 'aria-pressed': String(view.kind === kind), 'data-focus': kind || 'all', onclick: () => take({ kind }),
    }, `${title} ${count(events, kind)}`))));
    const found = matching(events, view);
    keepingFocus(list, () => fill(list, days(found, isUTC()).map(Day), older(),
      found.length === 0 ? h('div', { class: 'empty' }, events.length === 0 ? 'Nothing has happened yet.' : 'No event matches.') : undefined));
  }

  /// The server has more than was asked for.
  function older() {
    if (events.length < view.limit || view.limit >= limitAtMost) return undefined;
    const limit = Math.min(view.limit * 2, limitAtMost);
    return h('div', { class: 'empty' }, h('button', { type: 'button', 'data-focus': 'older', onclick: () => ask({ limit }) }, 'Show older events'));
  }

  const Day = ({ day, events }) => h('section', { class: 'day' }, h('h2', {}, day || 'at no known time'),
    h('ol', { class: 'card timeline' }, events.map(({ clock, event }, index) => Event(clock, event, index))));

  function Event(clock, event, index) {
    const { title, tone } = kindOf(event);
    const to = event.receiver ? ` ${event.receiver}` : '';
    const labels = event.labels ?? {};
    const hasWhy = event.fingerprint && features.explain;
    const why = () => h('span', { class: 'actions' }, h('a', { href: anyAlertAddress({ why: event.fingerprint }), 'data-focus': 'why' }, 'Why?'));
    const subject = () => (Object.keys(labels).length > 0 ? Labels(labels, { press: narrow, verb: 'Show events with' })
      : event.groupKey ? h('code', { class: 'muted' }, event.groupKey) : undefined);
    return h('li', { class: `event ${tone}`, 'data-key': `${event.time} ${event.kind} ${index}` },
      h('span', { class: 'clock' }, clock),
      h('div', { class: 'what' },
        h('div', { class: 'event-head' }, h('b', {}, title, to), event.integration ? Muted(`by ${event.integration}`) : undefined,
          event.reason ? Muted(reasonText(event.reason)) : undefined, hasWhy ? why() : undefined),
        subject(), event.message ? h('div', { class: 'event-message' }, event.message) : undefined));
  }

  const refresh = Refresh(async (signal) => {
    events = (await Api.events(view, signal))?.events ?? [];
    fill(note);
    if (!isReading()) draw();
  }, (error) => {
    if (error.status === 404) fill(element, h('div', { class: 'empty' }, 'This server keeps no history.'));
    else fill(note, Refusal(error));
  }, refreshEvery);
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
