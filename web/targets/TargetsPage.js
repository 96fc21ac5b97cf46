// The targets page: what is scraped, pool by pool, and how the last scrape went. Asks again every five seconds.

import { h, fill } from '../app/Dom.js';
import * as Api from '../app/Api.js';
import * as Settings from '../app/Settings.js';
import { formatTime } from '../query/QueryLogic.js';
import { addressOfFilter, agoText, count, filterFromAddress, matching, pools, spanText } from './TargetsLogic.js';

const refreshEvery = 5000;

/// Fills `element`; returns what ends the page.
export function TargetsPage(element) {
  let filter = filterFromAddress(location.search);
  let targets, timer, isOver = false;
  const request = new AbortController();
  const closed = new Set();

  const search = h('input', {
    type: 'search', value: filter.search, placeholder: 'Filter by address, label or error', 'aria-label': 'Filter',
    oninput: () => take({ search: search.value }),
  });
  const kinds = h('span', { class: 'group' });
  const note = h('div', {});
  const list = h('div', { class: 'pools' });
  fill(element, h('div', { class: 'targets-bar' }, kinds, search), note, list);

  function take(change) {
    filter = { ...filter, ...change };
    history.replaceState(null, '', `targets${addressOfFilter(filter)}`);
    draw();
  }

  function draw() {
    if (!targets) return;
    const titles = [['', 'All'], ['up', 'Up'], ['down', 'Down'], ['unknown', 'Unknown']];
    fill(kinds, titles.map(([health, title]) => h('button', {
      type: 'button', 'aria-pressed': String(filter.health === health), onclick: () => take({ health }),
    }, `${title} ${count(targets, health)}`)));
    const groups = pools(matching(targets, filter));
    fill(list, groups.length > 0 ? groups.map(pool)
      : h('div', { class: 'empty' }, targets.length === 0 ? 'Nothing is scraped: the configuration names no targets.' : 'No target matches.'));
  }

  function pool(group) {
    const total = targets.filter((target) => target.scrapePool === group.pool);
    const up = count(total, 'up');
    const isOpen = !closed.has(group.pool);
    const details = h('details', {
      class: 'pool', open: isOpen,
      ontoggle: () => (details.open ? closed.delete(group.pool) : closed.add(group.pool)),
    }, h('summary', {}, h('b', {}, group.pool), h('span', { class: up === total.length ? 'tally' : 'tally bad' }, `${up} of ${total.length} up`)),
    h('div', { class: 'pool-frame' }, h('table', {},
      h('thead', {}, h('tr', {}, ['Endpoint', 'State', 'Labels', 'Last scrape', 'Took'].map((title) => h('th', {}, title)))),
      h('tbody', {}, group.targets.map(row)))));
    return details;
  }

  function row(target) {
    const isLink = /^https?:/.test(target.scrapeUrl);
    const labels = Object.entries(target.labels ?? {});
    const time = Date.parse(target.lastScrape);
    const before = Object.entries(target.discoveredLabels ?? {}).map(([name, value]) => `${name}="${value}"`).join('\n');
    const isUTC = Settings.get().zone === 'utc';
    return h('tr', {},
      h('td', { class: 'endpoint' }, isLink ? h('a', { href: target.scrapeUrl, rel: 'noreferrer' }, target.scrapeUrl) : target.scrapeUrl,
        target.lastError ? h('div', { class: 'last-error' }, target.lastError) : undefined),
      h('td', {}, h('span', { class: `health ${target.health}` }, target.health)),
      h('td', { title: before ? `Before relabeling:\n${before}` : undefined }, labels.map(([name, value]) => h('span', { class: 'chip' }, h('span', {}, `${name}=`), JSON.stringify(value)))),
      h('td', { class: 'time', title: time > 0 ? formatTime(time / 1000, isUTC) : undefined }, agoText(target.lastScrape, Date.now())),
      h('td', { class: 'time', title: `every ${target.scrapeInterval}, at most ${target.scrapeTimeout}` }, time > 0 ? spanText(target.lastScrapeDuration) : '–'));
  }

  async function load() {
    clearTimeout(timer);
    try {
      const { data } = await Api.targets(request.signal);
      targets = data.activeTargets ?? [];
      fill(note);
      // While a text is selected the rows stay, so that it can be copied.
      if (getSelection()?.isCollapsed !== false) draw();
    } catch (error) {
      if (isOver) return;
      fill(note, h('div', { class: 'note bad', role: 'alert' }, h('pre', {}, error.message)));
    }
    if (!isOver) timer = setTimeout(load, refreshEvery);
  }

  const back = () => {
    filter = filterFromAddress(location.search);
    search.value = filter.search;
    draw();
  };
  window.addEventListener('minprom-settings', draw);
  window.addEventListener('popstate', back);
  load();
  return () => {
    isOver = true;
    clearTimeout(timer);
    request.abort();
    window.removeEventListener('minprom-settings', draw);
    window.removeEventListener('popstate', back);
  };
}
