// The shell: head line, navigation, and one page under it, chosen by the last part of the path.
//
//   /query /graph → QueryPage     /targets → TargetsPage
//
// A page is a function: it fills an element and returns what ends it.

import { h, fill } from './Dom.js';
import * as Api from './Api.js';
import * as Settings from './Settings.js';
import { themeButton, zoneButton } from './Preferences.js';
import { QueryPage } from '../query/QueryPage.js';
import { TargetsPage } from '../targets/TargetsPage.js';

const pages = {
  query: { title: 'Query', mount: QueryPage },
  targets: { title: 'Targets', mount: TargetsPage },
};

const main = document.getElementById('page');
let end = () => {};
let shown = '';

function pageName() {
  const name = location.pathname.split('/').pop();
  return name in pages ? name : 'query';
}

function show() {
  end();
  shown = pageName();
  document.title = `${pages[shown].title} · minprom`;
  fill(main);
  end = pages[shown].mount(main) ?? (() => {});
  for (const link of document.querySelectorAll('.top nav a')) {
    if (link.dataset.page === shown) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/// Links between pages change the page without loading it again.
function follow(event) {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, '', event.currentTarget.getAttribute('href'));
  show();
}

function head() {
  const version = h('span', { class: 'version' });
  Api.buildInfo().then(({ data }) => fill(version, data.version ?? ''), () => {});
  const icon = h('img', { src: 'assets/app/icon.svg', alt: '', width: 20, height: 20 });
  fill(document.getElementById('top'),
    h('a', { class: 'brand', href: 'query' }, icon, 'minprom'),
    h('nav', { 'aria-label': 'Pages' },
      Object.entries(pages).map(([name, { title }]) => h('a', { href: name, 'data-page': name, onclick: follow }, title))),
    h('span', { class: 'space' }), version, zoneButton(), themeButton());
}

Settings.apply();
head();
show();
window.addEventListener('popstate', () => {
  // A page that is already shown listens itself: its state is in the address.
  if (pageName() !== shown) show();
});
