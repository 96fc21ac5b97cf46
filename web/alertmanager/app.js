// The shell of Alertmanager's pages: head line, navigation, and one page under it, chosen by the last part of the path.
//
//   /alerts → AlertsPage    /silences → SilencesPage    /status → StatusPage    /history → HistoryPage
//
// A page is a function: it fills an element from the address and returns what ends it. A press on a link to another page, or
// “back”, mounts the page of that address without loading anything again.

import { h, fill } from '../app/Dom.js';
import * as Settings from '../app/Settings.js';
import { themeButton, zoneButton } from '../app/Preferences.js';
import * as Api from './Api.js';
import { pageOfFragment } from './Addresses.js';
import { AlertsPage } from './AlertsPage.js';
import { HistoryPage } from './HistoryPage.js';
import { SilencesPage } from './SilencesPage.js';
import { StatusPage } from './StatusPage.js';

const pages = {
  alerts: { title: 'Alerts', mount: AlertsPage },
  silences: { title: 'Silences', mount: SilencesPage },
  history: { title: 'History', mount: HistoryPage },
  status: { title: 'Status', mount: StatusPage },
};

const main = document.getElementById('page');
let end = () => {};

function pageName(path) {
  const name = path.split('/').pop();
  return Object.hasOwn(pages, name) ? name : 'alerts';
}

function show() {
  // Notifications of every Alertmanager link to #/alerts?… under the root.
  const wanted = pageOfFragment(location.hash);
  if (wanted !== undefined) history.replaceState(null, '', wanted);
  end();
  const name = pageName(location.pathname);
  document.title = `${pages[name].title} · Alertmanager`;
  fill(main);
  end = pages[name].mount(main) ?? (() => {});
  for (const link of document.querySelectorAll('.top nav a')) {
    if (link.dataset.page === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/// Links between pages change the page without loading it again.
function follow(event) {
  const link = event.target instanceof Element ? event.target.closest('a[href]') : undefined;
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const address = new URL(link.href);
  const folder = new URL('.', location.href);
  const name = address.pathname.slice(folder.pathname.length);
  if (address.origin !== location.origin || !address.pathname.startsWith(folder.pathname) || !Object.hasOwn(pages, name)) return;
  event.preventDefault();
  history.pushState(null, '', address);
  show();
  scrollTo(0, 0);
}

function head() {
  const version = h('span', { class: 'version' });
  const link = (name) => h('a', { href: name, 'data-page': name, hidden: name === 'history' }, pages[name].title);
  const links = Object.keys(pages).map(link);
  const icon = h('img', { src: 'assets/alertmanager/icon.svg', alt: '', width: 20, height: 20 });
  fill(document.getElementById('top'), h('a', { class: 'brand', href: 'alerts' }, icon, h('span', {}, 'Alertmanager')),
    h('nav', { 'aria-label': 'Pages' }, links), h('span', { class: 'space' }), version, zoneButton(), themeButton());
  Api.status().then((status) => fill(version, status?.versionInfo?.version ?? ''), () => {});
  Api.features().then(({ history }) => {
    for (const item of links) if (item.dataset.page === 'history') item.hidden = !history;
  });
}

Settings.apply();
head();
show();
document.addEventListener('click', follow);
window.addEventListener('popstate', show);
window.addEventListener('hashchange', () => {
  if (pageOfFragment(location.hash) !== undefined) show();
});
