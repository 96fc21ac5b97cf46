// The silences page: lists by state, one silence by its link, and the form. Asks again every 15 seconds.

import { h, fill } from '../app/Dom.js';
import * as Api from './Api.js';
import { address, anyAlertAddress, silenceAddress } from './Addresses.js';
import { AffectedAlerts } from './AffectedAlerts.js';
import { MatcherChips, Moment, Press, Refusal, stateTones, Tag } from './Labels.js';
import { isReading, keepingFocus, Refresh } from './Refresh.js';
import { SilenceForm } from './SilenceForm.js';
import { addressOfView, count, matching, stateOf, states, viewFromAddress, whenText } from './SilencesLogic.js';

const refreshEvery = 15000;
/// Silences drawn at first; the rest on demand.
const silencesAtFirst = 100;

/// Fills `element`; returns what ends the page.
export function SilencesPage(element) {
  let view = viewFromAddress(location.search);
  if (view.isNew || view.edit !== '') return SilenceForm(element, view);

  let silences, limit = silencesAtFirst;
  /// The silence whose expiry waits for a yes: { id, preview }.
  let doomed;
  const search = h('input', {
    type: 'search', value: view.search, placeholder: 'Filter by matcher, comment or author', 'aria-label': 'Filter',
    oninput: () => take({ search: search.value }),
  });
  const kinds = h('span', { class: 'group', role: 'group', 'aria-label': 'State' });
  const note = h('div', {});
  const list = h('div', { class: 'card silences' });
  const left = view.id === '' ? [kinds, search] : h('a', { href: 'silences' }, '← All silences');
  fill(element, h('div', { class: 'bar' }, left, h('span', { class: 'space' }),
    h('a', { class: 'button primary', href: address('silences', { new: true }) }, 'New silence')), note, list);

  function take(change) {
    view = { ...view, ...change };
    history.replaceState(null, '', addressOfView(view));
    draw();
  }

  function draw() {
    if (silences === undefined) return;
    const titles = { active: 'Active', pending: 'Pending', expired: 'Expired' };
    keepingFocus(kinds, () => fill(kinds, states.map((state) => h('button', {
      type: 'button', 'aria-pressed': String(view.state === state), 'data-focus': state, onclick: () => take({ state }),
    }, `${titles[state]} ${count(silences, state)}`))));
    const found = view.id === '' ? matching(silences, view) : silences;
    keepingFocus(list, () => fill(list, found.slice(0, limit).map(Row), rest(found.length), found.length === 0 ? empty() : undefined));
  }

  function rest(total) {
    if (total <= limit) return undefined;
    return h('div', { class: 'empty' }, `${limit} of ${total} silences are shown. `, Press('Show all', () => {
      limit = Infinity;
      draw();
    }));
  }

  function empty() {
    if (view.id !== '') return h('div', { class: 'empty' }, 'No such silence: it may have been forgotten after its end.');
    return h('div', { class: 'empty' }, view.search !== '' ? 'No silence matches.' : `No ${view.state} silences.`);
  }

  function Row(silence) {
    const { id, matchers = [] } = silence;
    const state = stateOf(silence);
    const isOver = state === 'expired', isDoomed = doomed?.id === id;
    const link = (focus, href, text) => h('a', { href, 'data-focus': focus }, text);
    const more = () => [h('code', {}, id), state === 'pending' ? undefined : h('span', {}, 'began ', Moment(silence.startsAt)),
      h('span', {}, 'changed ', Moment(silence.updatedAt))];
    return h('article', { class: `silence ${state}`, 'data-key': id },
      h('div', { class: 'silence-head' }, Tag(state, state === 'active' ? 'accent' : stateTones[state]), MatcherChips(matchers),
        h('span', { class: 'actions' },
          isOver ? undefined : link('alerts', anyAlertAddress({ filter: matchers }), 'Alerts'),
          link('edit', address('silences', { edit: id }), isOver ? 'Recreate' : 'Edit'),
          isOver ? undefined : Press('Expire', () => (isDoomed ? keep() : ask(silence)), { 'data-focus': 'expire', 'aria-expanded': String(isDoomed) }))),
      h('div', { class: 'silence-comment' }, silence.comment ?? ''),
      h('div', { class: 'silence-facts muted' }, h('span', {}, silence.createdBy ?? ''), h('span', {}, whenText(silence, Date.now())),
        view.id === '' ? link('id', silenceAddress(id), id.slice(0, 8)) : more()),
      isDoomed ? Doom(silence) : undefined);
  }

  /// The question before the end, with what depends on it.
  function Doom(silence) {
    return h('div', { class: 'silence-end', role: 'group', 'aria-label': 'Expire this silence' }, doomed.preview.element,
      h('div', { class: 'actions-row' },
        h('button', { type: 'button', class: 'primary', 'data-focus': 'yes', onclick: () => expire(silence) }, 'Expire it now'),
        h('button', { type: 'button', 'data-focus': 'no', onclick: keep }, 'Keep it')));
  }

  function ask(silence) {
    doomed?.preview.end();
    doomed = { id: silence.id, preview: AffectedAlerts({ none: 'No alert is affected now.', some: 'Affected now' }) };
    doomed.preview.show(silence.matchers ?? []);
    draw();
  }

  function keep() {
    doomed?.preview.end();
    doomed = undefined;
    draw();
  }

  async function expire(silence) {
    try {
      await Api.expireSilence(silence.id);
      keep();
      await refresh.now();
    } catch (error) {
      fill(note, Refusal(error));
    }
  }

  const refresh = Refresh(async (signal) => {
    if (view.id === '') silences = await Api.silences(signal) ?? [];
    else {
      try {
        silences = [await Api.silence(view.id, signal)];
      } catch (error) {
        if (error.status !== 404 && error.status !== 422) throw error;
        silences = [];
      }
    }
    fill(note);
    if (!isReading()) draw();
  }, (error) => fill(note, Refusal(error)), refreshEvery);
  window.addEventListener('minprom-settings', draw);
  return () => {
    refresh.end();
    doomed?.preview.end();
    window.removeEventListener('minprom-settings', draw);
  };
}
