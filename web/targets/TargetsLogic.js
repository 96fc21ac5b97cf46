// What the targets page computes: answers to groups, groups to those that a filter leaves.

/// { pool, targets, up }, by name of pool; targets by their address.
export function pools(activeTargets) {
  const groups = new Map();
  for (const target of activeTargets) {
    if (!groups.has(target.scrapePool)) groups.set(target.scrapePool, []);
    groups.get(target.scrapePool).push(target);
  }
  const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  return [...groups].sort(([a], [b]) => order(a, b)).map(([pool, targets]) => ({
    pool,
    targets: targets.sort((a, b) => order(a.scrapeUrl, b.scrapeUrl)),
    up: targets.filter(({ health }) => health === 'up').length,
  }));
}

export const count = (targets, health) => targets.filter((target) => health === '' || target.health === health).length;

/// Targets of one health ('' for all) whose address, pool, error or labels contain every word of `search`.
export function matching(targets, { search, health }) {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return targets.filter((target) => {
    if (health !== '' && target.health !== health) return false;
    const labels = Object.entries(target.labels ?? {}).map(([name, value]) => `${name}="${value}"`);
    const text = [target.scrapeUrl, target.scrapePool, target.lastError ?? '', ...labels].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/// Seconds as people say them: '0.4 ms', '12 ms', '3.2 s', '4m 10s'.
export function spanText(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  if (seconds < 0.0095) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${whole % 60}s`;
  return `${Math.floor(whole / 3600)}h ${Math.floor((whole % 3600) / 60)}m`;
}

/// '4.1 s ago'; 'never' for the zero time that the API gives before a first scrape.
export function agoText(time, now) {
  const then = Date.parse(time);
  if (Number.isNaN(then) || then < 0) return 'never';
  return `${spanText(Math.max(0, (now - then) / 1000))} ago`;
}

/// The filter in the address: ?health=down&search=node.
export function filterFromAddress(search) {
  const parameters = new URLSearchParams(search);
  const health = parameters.get('health') ?? '';
  return { health: ['up', 'down', 'unknown'].includes(health) ? health : '', search: parameters.get('search') ?? '' };
}

export function addressOfFilter({ health, search }) {
  const parameters = new URLSearchParams();
  if (health !== '') parameters.set('health', health);
  if (search !== '') parameters.set('search', search);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
