// Addresses of the pages: what they share, and the fragments under which the original's pages are linked.
//
//   alerts?filter=job="node"&silenced=true    silences?new&filter=…    silences?id=…    status?labels=…    history?kind=failed

import { matcherText, parseMatchers } from './Matchers.js';

/// Matchers of all `filter` parameters. Each holds one matcher or several; what cannot be read is left out.
export const filterOf = (parameters) => parameters.getAll('filter').flatMap((text) => parseMatchers(text).matchers);

/// `page?…` with its parameters; '' and undefined are left out, `true` stands as a bare name.
export function address(page, { filter = [], ...others }) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(others)) {
    if (value !== undefined && value !== '' && value !== false) parameters.set(name, value === true ? '' : value);
  }
  for (const matcher of filter) parameters.append('filter', matcherText(matcher));
  const text = parameters.toString().replace(/=(?=&|$)/g, '');
  return text === '' ? page : `${page}?${text}`;
}

export const silenceAddress = (id) => address('silences', { id });
/// Alerts whatever their state, with `why` the explanation of one of them.
export const anyAlertAddress = ({ filter = [], why }) => address('alerts', { silenced: 'true', inhibited: 'true', muted: 'true', why, filter });
export const newSilenceAddress = (filter) => address('silences', { new: true, filter });

/// The page of a fragment of the original's pages, which notifications carry; undefined where it is none.
///
///   #/alerts?receiver=pager → alerts?receiver=pager    #/silences/new?filter={a="b"} → silences?new&filter=…
export function pageOfFragment(fragment) {
  const match = /^#\/(alerts|silences|status)((?:\/[^/?]*)*)(\?.*)?$/.exec(fragment);
  if (!match) return undefined;
  const [, page, path, query] = match;
  const parameters = new URLSearchParams(query ?? '');
  const filter = filterOf(parameters);
  if (page === 'status') return 'status';
  if (page === 'alerts') {
    const others = {};
    for (const name of ['receiver', 'active', 'silenced', 'inhibited', 'muted']) others[name] = parameters.get(name) ?? '';
    return address('alerts', { ...others, filter });
  }
  const [first = '', second = ''] = path.split('/').slice(1);
  if (first === 'new') return address('silences', { new: true, comment: parameters.get('comment') ?? '', filter });
  if (second === 'edit') return address('silences', { edit: first });
  return address('silences', { id: first, filter: [] });
}
