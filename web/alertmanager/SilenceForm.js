// The form of a silence: matchers with the alerts they mean, when, who and why. For a new one, an edited one, or an expired one
// that is made again.

import { h, fill } from '../app/Dom.js';
import * as Settings from '../app/Settings.js';
import { formatTime } from '../query/QueryLogic.js';
import * as Api from './Api.js';
import { silenceAddress } from './Addresses.js';
import { AffectedAlerts } from './AffectedAlerts.js';
import { offers } from './AlertsLogic.js';
import { isUTC, Refusal } from './Labels.js';
import { MatcherField } from './MatcherField.js';
import { keepingFocus } from './Refresh.js';
import { draftOf, emptyDraft, inZone, request, span, stateOf, withDuration, withEnd } from './SilencesLogic.js';

const durations = ['1h', '2h', '4h', '12h', '1d', '1w'];

/// Fills `element` with the form that `view` asks for: `edit` an id, or `filter` and `comment` of a new one. Returns what ends it.
export function SilenceForm(element, view) {
  const asked = new AbortController();
  const preview = AffectedAlerts({ some: 'Affects now', none: 'No alert is affected now; those that come will be.' });
  let stop = () => {};
  if (view.edit === '') {
    const author = Settings.get().author ?? '';
    stop = Form(element, { ...emptyDraft, matchers: view.filter, comment: view.comment, author }, 'New silence', preview);
  } else {
    fill(element, h('div', { class: 'empty' }, 'loading…'));
    Api.silence(view.edit, asked.signal).then((silence) => {
      stop = Form(element, draftOf(silence, isUTC()), stateOf(silence) === 'expired' ? 'Silence again' : 'Edit silence', preview);
    }, (error) => {
      if (error.name === 'AbortError') return;
      fill(element, h('div', { class: 'bar' }, h('a', { href: 'silences' }, '← All silences')), Refusal(error));
    });
  }
  return () => {
    asked.abort();
    preview.end();
    stop();
  };
}

function Form(element, first, title, preview) {
  let draft = first, zone = isUTC();
  const problem = h('div', {});
  const field = MatcherField(draft.matchers, {
    label: 'Matchers', placeholder: 'alertname="InstanceDown"', changed: (matchers) => take({ ...draft, matchers }),
  });
  const input = (name, attributes) =>
    h('input', { type: 'text', id: `silence-${name}`, value: draft[name], autocomplete: 'off', ...attributes });
  const start = input('start', { placeholder: 'now', oninput: () => take({ ...draft, start: start.value }) });
  const duration = input('duration', { class: 'short', oninput: () => take(withDuration(draft, duration.value)) });
  const end = input('end', { oninput: () => take(withEnd(draft, end.value, Date.now(), isUTC())) });
  const author = input('author', { oninput: () => take({ ...draft, author: author.value }) });
  const comment = h('textarea', { id: 'silence-comment', rows: 3, oninput: () => take({ ...draft, comment: comment.value }) });
  comment.value = draft.comment;
  const inputs = { start, duration, end, author, comment };
  const choices = h('span', { class: 'group', role: 'group', 'aria-label': 'Usual durations' });
  const send = h('button', { type: 'submit', class: 'primary' }, draft.id === '' ? 'Create silence' : 'Keep changes');
  const pair = (name, label, field) => h('span', { class: 'pair' }, h('label', { for: `silence-${name}`, class: 'muted' }, label), field);
  const row = (name, label, ...content) => h('div', { class: 'row' },
    name === '' ? h('span', { class: 'row-title' }, label) : h('label', { for: `silence-${name}` }, label), h('div', { class: 'content' }, content));
  const buttons = h('div', { class: 'actions-row first' }, send, h('a', { class: 'button', href: 'silences' }, 'Cancel'));

  const submit = (event) => {
    event.preventDefault();
    keep();
  };
  const form = h('form', { class: 'card silence-form', onsubmit: submit },
  row('', 'Matchers', field.element),
  row('start', 'Starts', start, pair('duration', 'for', duration), pair('end', 'until', end)),
  row('', '', choices),
  row('author', 'Who', author), row('comment', 'Why', comment),
  h('div', { class: 'row' }, h('span', {}), h('div', { class: 'content wide' }, problem, buttons)));
  fill(element, h('h2', { class: 'section' }, title), form, h('div', { class: 'card silence-preview' }, preview.element));

  function take(next) {
    const isOther = next.matchers !== draft.matchers;
    draft = next;
    if (isOther) preview.show(draft.matchers);
    draw();
  }

  /// The times that were not typed follow those that were.
  function draw() {
    const times = span(draft, Date.now(), isUTC());
    if (document.activeElement !== duration) duration.value = draft.duration;
    end.placeholder = times.error === undefined && draft.end.trim() === '' ? formatTime(times.end / 1000, isUTC()) : '';
    if (document.activeElement !== end) end.value = draft.end;
    keepingFocus(choices, () => fill(choices, durations.map((text) => h('button', {
      type: 'button', 'aria-pressed': String(draft.end === '' && draft.duration === text), 'data-focus': text,
      onclick: () => take(withDuration(draft, text)),
    }, text))));
    for (const [name, one] of Object.entries(inputs)) {
      if (times.field === name) one.setAttribute('aria-invalid', 'true');
      else one.removeAttribute('aria-invalid');
    }
  }

  async function keep() {
    if (!field.take()) return;
    const { body, error, field: name } = request(draft, Date.now(), isUTC());
    if (error !== undefined) {
      fill(problem, Refusal({ message: error }));
      inputs[name]?.setAttribute('aria-invalid', 'true');
      (inputs[name] ?? field).focus();
      return;
    }
    send.disabled = true;
    try {
      const { silenceID } = await Api.keepSilence(body) ?? {};
      Settings.change({ author: body.createdBy });
      // A link that is followed, so that the page of the silence is mounted and “back” leads past the form.
      const link = h('a', { href: silenceID ? silenceAddress(silenceID) : 'silences', hidden: true });
      element.append(link);
      link.click();
    } catch (refusal) {
      send.disabled = false;
      fill(problem, Refusal(refusal));
    }
  }

  // Alerts that exist now offer their labels.
  Api.alertGroups({ filter: [], receiver: '' }).then((groups) => field.offer(offers(groups ?? [])), () => {});
  preview.show(draft.matchers);
  draw();
  const settle = () => {
    draft = inZone(draft, zone, isUTC());
    zone = isUTC();
    start.value = draft.start;
    draw();
  };
  window.addEventListener('minprom-settings', settle);
  if (draft.matchers.length === 0) field.focus();
  else (draft.author === '' ? author : comment).focus();
  return () => window.removeEventListener('minprom-settings', settle);
}
