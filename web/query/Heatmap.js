// Native histograms over time as a heat map: time goes right, bounds go up, colour is how dense a bucket is.
//
//   pointer, or arrow keys on the map  ─▶  one cell in words;  a span that is dragged  ─▶  onselect(start, end)

import { h, fill } from '../app/Dom.js';
import { heatOf, shortInterval } from './HistogramLogic.js';
import { formatTime, shortNumber, timeLabels } from './QueryLogic.js';
import { seriesText } from './SeriesText.js';

/// Maps drawn at first; the rest on demand.
export const heatmapsAtFirst = 4;
const height = 260, left = 62, right = 12, top = 8, bottom = 34;

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/// Fills `element` with a map of one series' `histograms` ([[time, histogram], …]); returns what frees it.
export function Heatmap(element, { labels, histograms, range, isUTC, onselect }) {
  const heat = heatOf(histograms, range);
  const canvas = h('canvas', {
    class: 'heatmap', tabindex: 0, role: 'img', 'aria-label': 'Heat map of buckets over time. Arrow keys go from cell to cell.',
  });
  const tip = h('div', { class: 'graph-tip', hidden: true });
  const frame = h('div', { class: 'graph-canvas' }, canvas, tip);
  fill(element, h('div', { class: 'heatmap-name' }, seriesText(labels)), frame);

  const byStep = new Map();
  for (const cell of heat.cells) {
    if (!byStep.has(cell.step)) byStep.set(cell.step, []);
    byStep.get(cell.step).push(cell);
  }
  let width = 0, chosen, drag;
  const mapWidth = () => Math.max(width - left - right, 10), mapHeight = height - top - bottom;
  const stepWidth = () => mapWidth() / heat.count;
  const x = (step) => left + step * stepWidth();
  const y = (share) => top + (1 - share) * mapHeight;
  const timeAt = (place) => range.start + (Math.max(0, Math.min(place - left, mapWidth())) / mapWidth()) * (range.end - range.start);

  function draw() {
    width = frame.clientWidth || 600;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.font = `11px ${css('--text')}`;
    drawAxes(context);
    const above = ramp('--heat-0', '--heat-1', '--heat-2'), below = ramp('--surface', '--bad', '--bad');
    for (const { step, from, to, weight } of heat.cells) {
      context.fillStyle = (weight < 0 ? below : above)[Math.min(63, Math.floor(Math.abs(weight) * 63.99))];
      const low = Math.floor(x(step) * ratio) / ratio, high = Math.ceil(x(step + 1) * ratio) / ratio;
      context.fillRect(low, y(to), high - low, Math.max(y(from) - y(to), 0.7));
    }
    if (chosen) {
      context.strokeStyle = css('--ink');
      context.lineWidth = 1.5;
      context.strokeRect(x(chosen.step), y(chosen.to), Math.max(stepWidth(), 2), Math.max(y(chosen.from) - y(chosen.to), 2));
    }
    if (drag && Math.abs(drag.now - drag.from) > 3) {
      context.globalAlpha = 0.18;
      context.fillStyle = css('--accent');
      context.fillRect(Math.min(drag.from, drag.now), top, Math.abs(drag.now - drag.from), mapHeight);
      context.globalAlpha = 1;
    }
  }

  function drawAxes(context) {
    context.fillStyle = css('--muted');
    context.strokeStyle = css('--grid');
    context.lineWidth = 1;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const { at, value } of heat.ticks) {
      const place = Math.round(y(at)) + 0.5;
      context.beginPath();
      context.moveTo(left - 4, place);
      context.lineTo(width - right, place);
      context.stroke();
      context.fillText(shortNumber(value), left - 8, place);
    }
    context.textAlign = 'center';
    context.textBaseline = 'top';
    const marks = Math.max(2, Math.floor(mapWidth() / 130));
    const times = Array.from({ length: marks }, (_, index) => range.start + ((index + 0.5) * (range.end - range.start)) / marks);
    timeLabels(times, isUTC).forEach((label, index) => label.split('\n').forEach((line, row) =>
      context.fillText(line, left + ((index + 0.5) * mapWidth()) / marks, height - bottom + 6 + row * 13)));
  }

  function choose(cell) {
    if (cell === chosen) return;
    chosen = cell;
    draw();
    tip.hidden = !cell;
    if (!cell) return;
    const { histogram } = heat.columns.find((column) => column.step === cell.step);
    const part = (cell.bucket.count / histogram.count) * 100;
    fill(tip, h('div', { class: 'when' }, formatTime(range.start + cell.step * range.step, isUTC)),
      h('div', { class: 'what' }, h('b', {}, shortInterval(cell.bucket, shortNumber))),
      h('div', {}, `${shortNumber(cell.bucket.count)}${Number.isFinite(part) ? ` of ${shortNumber(histogram.count)}, ${Number(part.toPrecision(3))} %` : ''}`));
    const place = x(cell.step), isRight = place > width / 2;
    tip.style.left = isRight ? '' : `${place + stepWidth() + 12}px`;
    tip.style.right = isRight ? `${width - place + 12}px` : '';
    tip.style.top = `${Math.max(0, Math.min(y(cell.to) - 10, height - 90))}px`;
  }

  const cellAt = (event) => {
    const box = canvas.getBoundingClientRect();
    const step = Math.floor((event.clientX - box.left - left) / stepWidth());
    const share = 1 - (event.clientY - box.top - top) / mapHeight;
    return byStep.get(step)?.find(({ from, to }) => share >= from && share < to);
  };
  canvas.addEventListener('pointermove', (event) => {
    if (drag) {
      drag.now = event.clientX - canvas.getBoundingClientRect().left;
      chosen = undefined;
      tip.hidden = true;
      draw();
    } else {
      choose(cellAt(event));
    }
  });
  canvas.addEventListener('pointerleave', () => choose(undefined));
  canvas.addEventListener('blur', () => choose(undefined));
  canvas.addEventListener('pointerdown', (event) => {
    const from = event.clientX - canvas.getBoundingClientRect().left;
    drag = { from, now: from };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointerup', () => {
    const { from, now } = drag ?? { from: 0, now: 0 };
    drag = undefined;
    if (Math.abs(now - from) > 3) onselect(timeAt(Math.min(from, now)), timeAt(Math.max(from, now)));
    draw();
  });
  canvas.addEventListener('keydown', (event) => {
    const next = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!next) return;
    event.preventDefault();
    choose(neighbour(next));
  });

  /// The cell that lies `right` steps and `up` buckets from the chosen one; the first press takes the newest column's densest.
  function neighbour([right, up]) {
    const steps = [...byStep.keys()].sort((a, b) => a - b);
    if (steps.length === 0) return undefined;
    if (!chosen) return byStep.get(steps[steps.length - 1]).reduce((best, cell) => (cell.weight > best.weight ? cell : best));
    const column = byStep.get(chosen.step);
    if (up !== 0) return column[column.indexOf(chosen) + up] ?? chosen;
    const target = byStep.get(steps[steps.indexOf(chosen.step) + right]);
    if (!target) return chosen;
    const middle = (chosen.from + chosen.to) / 2;
    return target.reduce((best, cell) => (Math.abs((cell.from + cell.to) / 2 - middle) < Math.abs((best.from + best.to) / 2 - middle) ? cell : best));
  }

  const observer = new ResizeObserver(() => {
    if (frame.clientWidth > 0 && frame.clientWidth !== width) draw();
  });
  observer.observe(frame);
  draw();
  return () => observer.disconnect();
}

/// 64 colours from the first to the last of three.
function ramp(...names) {
  const colours = names.map((name) => channels(css(name)));
  return Array.from({ length: 64 }, (_, index) => {
    const at = (index / 63) * 2, part = Math.min(Math.floor(at), 1);
    const mixed = colours[part].map((value, channel) => Math.round(value + (colours[part + 1][channel] - value) * (at - part)));
    return `rgb(${mixed.join(' ')})`;
  });
}

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
