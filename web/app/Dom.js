// Builds elements. Text becomes text nodes, never markup, so no data from the network is ever parsed as HTML.
//
//   h('button', { class: 'quiet', onclick: run }, 'Run')
//
// `undefined`, `null` and `false` as attributes or children are left out; lists of children are flattened.

export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...present(children));
  return element;
}

/// Replaces what `element` holds.
export function fill(element, ...children) {
  element.replaceChildren(...present(children));
  return element;
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false);
}
