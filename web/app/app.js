// The shell: head line, navigation, and one page under it, chosen by the last part of the path.
//
//   /query /graph → QueryPage     /alerts → AlertsPage     /rules → RulesPage     /targets → TargetsPage
//
// A page is a function: it fills an element and returns what ends it.

import { h, fill } from './Dom.js';
import * as Api from './Api.js';
import * as Settings from './Settings.js';
import { QueryPage } from '../query/QueryPage.js';
import { AlertsPage } from '../rules/AlertsPage.js';
import { RulesPage } from '../rules/RulesPage.js';
import { TargetsPage } from '../targets/TargetsPage.js';

const pages = {
  query: { title: 'Query', mount: QueryPage },
  alerts: { title: 'Alerts', mount: AlertsPage },
  rules: { title: 'Rules', mount: RulesPage },
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

function themeButton() {
  const words = { system: ['◐', 'Colours: as the system'], light: ['☀', 'Colours: light'], dark: ['☾', 'Colours: dark'] };
  const order = ['system', 'light', 'dark'];
  const button = h('button', {
    class: 'icon', type: 'button',
    onclick: () => {
      Settings.change({ theme: order[(order.indexOf(Settings.get().theme) + 1) % order.length] });
      draw();
    },
  });
  const draw = () => {
    const [sign, title] = words[Settings.get().theme] ?? words.system;
    fill(button, sign);
    button.title = title;
    button.setAttribute('aria-label', title);
  };
  draw();
  return button;
}

function zoneButton() {
  const button = h('button', {
    class: 'icon text', type: 'button', title: 'Time zone of all times shown',
    onclick: () => {
      Settings.change({ zone: Settings.get().zone === 'utc' ? 'local' : 'utc' });
      draw();
    },
  });
  const draw = () => fill(button, Settings.get().zone === 'utc' ? 'UTC' : 'Local time');
  draw();
  return button;
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
