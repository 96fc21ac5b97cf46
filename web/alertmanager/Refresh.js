// A page that asks again: every so often while it is seen, and on demand. Answers replace what is shown only where that
// disturbs nobody: not while a text is selected, and the focus stays on the piece that has it.

/// `load(signal)` asks and draws; it throws what could not be had, which `failed` shows. Returns { now, end }.
export function Refresh(load, failed, every) {
  let timer, request, isOver = false;

  async function now() {
    clearTimeout(timer);
    request?.abort();
    const mine = request = new AbortController();
    try {
      if (!document.hidden || timer === undefined) await load(mine.signal);
    } catch (error) {
      if (error.name !== 'AbortError' && !isOver && mine === request) failed(error);
    }
    if (!isOver && mine === request) timer = setTimeout(now, every);
  }

  const seen = () => {
    if (!document.hidden) now();
  };
  document.addEventListener('visibilitychange', seen);
  now();
  return {
    now,
    end: () => {
      isOver = true;
      clearTimeout(timer);
      request?.abort();
      document.removeEventListener('visibilitychange', seen);
    },
  };
}

export const isReading = () => getSelection()?.isCollapsed === false;

/// Draws, and gives the focus back to the piece with the same `data-focus` under the same `data-key`.
export function keepingFocus(element, draw) {
  const [name, key] = [document.activeElement?.dataset?.focus, document.activeElement?.closest('[data-key]')?.dataset.key];
  const hadIt = name !== undefined && element.contains(document.activeElement);
  draw();
  if (!hadIt) return;
  const place = key === undefined ? element : [...element.querySelectorAll('[data-key]')].find((piece) => piece.dataset.key === key);
  [...(place?.querySelectorAll('[data-focus]') ?? [])].find((piece) => piece.dataset.focus === name)?.focus({ preventScroll: true });
}
