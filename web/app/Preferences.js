// The head line's buttons for what the reader prefers: colours, and the time zone of all times.

import { h, fill } from './Dom.js';
import * as Settings from './Settings.js';

/// Steps through the system's colours, light and dark.
export function themeButton() {
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

/// Local time or UTC.
export function zoneButton() {
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
