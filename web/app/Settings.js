// What the reader prefers, kept in the browser: colours and time zone. Storage may be forbidden; then defaults hold.

const key = 'minprom';
const defaults = { theme: 'system', zone: 'local' };

function load() {
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem(key) ?? '{}') };
  } catch {
    return { ...defaults };
  }
}

let settings = load();

export const get = () => settings;

/// Keeps the change and tells the page: `minprom-settings` on `window`.
export function change(part) {
  settings = { ...settings, ...part };
  try {
    localStorage.setItem(key, JSON.stringify(settings));
  } catch { /* private mode: the change lasts as long as the page */ }
  apply();
  window.dispatchEvent(new CustomEvent('minprom-settings'));
}

export function apply() {
  if (settings.theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = settings.theme;
}

export function isDark() {
  if (settings.theme !== 'system') return settings.theme === 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches;
}
