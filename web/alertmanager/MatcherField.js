// A field for matchers: chips, and a text that becomes chips.
//
//   [alertname="InstanceDown" ×] [job=~"node|app" ×]  severity=_
//
// Enter or a comma after a quote takes the text; a press on a chip puts it back into the text; backspace in an empty text does
// that with the last one.

import { h, fill } from '../app/Dom.js';
import { adding, matcherText, parseMatchers } from './Matchers.js';

let fields = 0;

/// Returns { element, set(matchers), offer(texts), take, focus }. `changed(matchers)` is called when the reader changes them;
/// `take()` makes chips of what is typed and tells whether that was possible.
export function MatcherField(first, { changed, label, placeholder = 'Filter: alertname="InstanceDown", job=~"node|app"' }) {
  let matchers = first;
  const id = `matchers-${fields += 1}`;
  const offers = h('datalist', { id });
  const chips = h('span', { class: 'chips' });
  const problem = h('div', { class: 'problem', id: `${id}-problem`, role: 'status', hidden: true });
  const input = h('input', {
    type: 'text', list: id, placeholder, 'aria-label': label, 'aria-describedby': problem.id,
    autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false',
    onkeydown: (event) => {
      if (event.key === 'Enter' && input.value.trim() !== '') {
        event.preventDefault();
        take();
      } else if (event.key === 'Backspace' && input.value === '' && matchers.length > 0) {
        event.preventDefault();
        edit(matchers.at(-1));
      } else if (event.key === ',' && /["}]\s*$/.test(input.value) && parseMatchers(input.value).error === undefined) {
        event.preventDefault();
        take();
      }
    },
    oninput: (event) => {
      say('');
      // One of the offers was chosen.
      if (event.inputType === 'insertReplacementText' && parseMatchers(input.value).error === undefined) take();
    },
  });
  const focus = (event) => event.target.closest('button') || input.focus();
  const element = h('div', { class: 'matcher-field' }, h('div', { class: 'frame', onclick: focus }, chips, input, offers), problem);

  function say(text) {
    problem.hidden = text === '';
    fill(problem, text);
    if (text === '') input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
  }

  function take() {
    const { matchers: typed, error } = parseMatchers(input.value);
    say(error ?? '');
    if (error !== undefined) return false;
    input.value = '';
    if (typed.length > 0) change(typed.reduce(adding, matchers));
    return true;
  }

  function edit(matcher) {
    change(matchers.filter((other) => other !== matcher));
    input.value = matcherText(matcher);
    input.focus();
    say('');
  }

  function change(next) {
    matchers = next;
    draw();
    changed(matchers);
  }

  function draw() {
    fill(chips, matchers.map((matcher) => h('span', { class: 'matcher' },
      h('button', { type: 'button', title: 'Change', onclick: () => edit(matcher) }, matcherText(matcher)),
      h('button', {
        type: 'button', class: 'remove', 'aria-label': `Remove ${matcherText(matcher)}`,
        onclick: () => {
          change(matchers.filter((other) => other !== matcher));
          input.focus();
        },
      }, '×'))));
    input.placeholder = matchers.length === 0 ? placeholder : '';
  }

  draw();
  return {
    element, take,
    focus: () => input.focus(),
    set: (next) => {
      matchers = next;
      draw();
    },
    offer: (texts) => fill(offers, texts.map((value) => h('option', { value }))),
  };
}
