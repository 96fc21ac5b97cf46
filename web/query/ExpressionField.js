// The field for PromQL: grows with its text, completes words from a list under it.
//
// Enter runs, Shift+Enter starts a line, Ctrl+Space opens the list; in the list ↑ ↓ choose, Tab or Enter take, Esc closes.

import { h, fill } from '../app/Dom.js';
import * as Api from '../app/Api.js';
import { placeAt, rank, complete } from './Completion.js';
import { words } from './Functions.js';

let fieldCount = 0;

/// Answers of the server, kept for half a minute: the same list is asked for at every key.
const lists = new Map();

function list(key, load) {
  const known = lists.get(key);
  if (known && Date.now() - known.at < 30000) return known.value;
  const value = load().then(({ data }) => data, () => {
    lists.delete(key);
    return [];
  });
  if (lists.size > 100) lists.clear();
  lists.set(key, { at: Date.now(), value });
  return value;
}

export const metricNames = () => list('names', () => Api.labelValues('__name__'));
const helpTexts = () => list('help', Api.metadata);

async function wordsFor(place) {
  const match = place.metric && /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(place.metric) ? place.metric : undefined;
  if (place.kind === 'label') {
    const names = await list(`labels ${match}`, () => Api.labelNames(match));
    return names.filter((name) => name !== '__name__').map((text) => ({ text, kind: 'label', note: '' }));
  }
  if (place.kind === 'value') {
    const values = await list(`values ${match} ${place.label}`, () => Api.labelValues(place.label, match));
    return values.map((text) => ({ text: text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n'), kind: 'value', note: '' }));
  }
  if (place.kind !== 'word') return [];
  const [names, help] = await Promise.all([metricNames(), helpTexts()]);
  const metrics = names.map((text) => {
    const known = help[text]?.[0];
    return { text, kind: 'metric', note: known ? `${known.type} — ${known.help}` : '' };
  });
  return [...words, ...metrics];
}

/// Returns { element, value, focus }. `run` is called with the text.
export function ExpressionField({ value, run, change = () => {} }) {
  fieldCount += 1;
  const id = `words-${fieldCount}`;
  const field = h('textarea', {
    class: 'expression', rows: 1, spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', role: 'combobox',
    'aria-label': 'PromQL expression', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': id,
    placeholder: 'PromQL expression — Enter runs, Shift+Enter starts a line', value,
  });
  const menu = h('ul', { class: 'words', id, role: 'listbox', hidden: true });
  const element = h('div', { class: 'expression-box' }, field, menu);
  let options = [], chosen = -1, place, asked = 0;

  const grow = () => {
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight + 2, 360)}px`;
  };
  const close = () => {
    asked += 1;
    menu.hidden = true;
    options = [];
    chosen = -1;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
  };
  const choose = (index) => {
    menu.children[chosen]?.setAttribute('aria-selected', 'false');
    chosen = index;
    const row = menu.children[chosen];
    row?.setAttribute('aria-selected', 'true');
    row?.scrollIntoView({ block: 'nearest' });
    if (row) field.setAttribute('aria-activedescendant', row.id);
  };
  const take = (word) => {
    const done = complete(field.value, field.selectionStart, place, word);
    field.value = done.text;
    field.setSelectionRange(done.cursor, done.cursor);
    close();
    grow();
    change(field.value);
    field.focus();
  };
  const open = async (forced) => {
    const here = placeAt(field.value, field.selectionStart);
    if (here.kind === 'none' || (here.prefix === '' && here.kind === 'word' && !forced)) return close();
    asked += 1;
    const mine = asked;
    const found = rank(await wordsFor(here), here.prefix);
    if (mine !== asked || document.activeElement !== field) return;
    if (found.length === 0) return close();
    place = here;
    options = found;
    fill(menu, found.map((word, index) => h('li', {
      id: `${id}-${index}`, role: 'option', 'aria-selected': 'false',
      onmousedown: (event) => {
        event.preventDefault();
        take(word);
      },
    }, h('span', { class: `kind ${word.kind}`, title: word.kind }, word.kind[0]), h('span', { class: 'word' }, word.text),
    h('span', { class: 'about' }, word.note))));
    menu.hidden = false;
    field.setAttribute('aria-expanded', 'true');
    chosen = -1;
    choose(0);
  };

  field.addEventListener('input', () => {
    grow();
    change(field.value);
    open(false);
  });
  field.addEventListener('blur', close);
  field.addEventListener('keydown', (event) => {
    const isOpen = !menu.hidden;
    if (event.isComposing) return;
    if (isOpen && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      choose((chosen + (event.key === 'ArrowDown' ? 1 : options.length - 1)) % options.length);
    } else if (isOpen && (event.key === 'Tab' || (event.key === 'Enter' && !event.shiftKey)) && options[chosen]) {
      event.preventDefault();
      take(options[chosen]);
    } else if (event.key === 'Escape' && isOpen) {
      event.preventDefault();
      close();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      close();
      run(field.value);
    } else if (event.key === ' ' && event.ctrlKey) {
      event.preventDefault();
      open(true);
    } else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      close();
    }
  });
  requestAnimationFrame(grow);

  return {
    element,
    get value() { return field.value; },
    set value(text) {
      field.value = text;
      grow();
    },
    focus: () => field.focus(),
  };
}
