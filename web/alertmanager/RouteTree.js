// The tree of routes as nested boxes. Routes that an alert takes are marked, and those on the way to them.

import { h, fill } from '../app/Dom.js';
import { Chips, Muted, Tag } from './Labels.js';
import { depthLimit, roleOf, routeFacts } from './RoutesLogic.js';

/// Fills `element`; `taken` holds the keys of the routes where an alert ends.
export function RouteTree(element, tree, taken) {
  fill(element, Route(tree, undefined, taken, 0));
}

function Route(route, above, taken, depth) {
  const role = roleOf(route, taken, depth);
  const matchers = route.matchers ?? [];
  const children = route.routes ?? [];
  return h('div', { class: `route ${role}` },
    h('div', { class: 'route-head' },
      matchers.length > 0 ? Chips(matchers) : Muted(depth === 0 ? 'every alert' : 'every alert that comes here'),
      h('b', { class: 'route-receiver' }, `→ ${route.receiver ?? ''}`),
      role === 'taken' ? Tag('taken', 'accent') : undefined,
      route.continue ? h('span', { class: 'tag', title: 'The routes after this one are tried, too' }, 'continues') : undefined),
    h('dl', { class: 'route-facts' }, routeFacts(route, above).map(({ name, value }) =>
      h('div', {}, h('dt', {}, name), h('dd', {}, value)))),
    children.length === 0 ? undefined : h('div', { class: 'route-children' },
      depth >= depthLimit ? Muted('deeper routes are not drawn') : children.map((child) => Route(child, route, taken, depth + 1))));
}
