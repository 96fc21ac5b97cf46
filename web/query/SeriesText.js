// Labels of a series as coloured text: name{label="value", …}. Pieces are text nodes.

import { h } from '../app/Dom.js';
import { labelPieces } from './QueryLogic.js';

export const seriesText = (labels) =>
  h('span', { class: 'series' }, labelPieces(labels).map(({ kind, text }) => h('span', { class: kind }, text)));
