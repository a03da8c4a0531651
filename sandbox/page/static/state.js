// The selection, kept in the URL so that a link shows the same; and the requests to the server.
const listeners = [];

export function state() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

export function write(changes) {
  const next = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") next.delete(name); else next.set(name, value);
  }
  const hash = `#${next}`;
  if (hash === location.hash) return;
  history.pushState(null, "", hash);
  for (const listener of listeners) listener();
}

export function onChange(listener) {
  listeners.push(listener);
  addEventListener("popstate", listener);
}

/** GET `path` with the selected parameters and `more`. */
export function ask(path, book, signal, more = {}) {
  const now = state();
  const chosen = book.parameters.map((one) => [one.name, now[one.name] ?? one.default]);
  return get(`${path}?${new URLSearchParams([...chosen, ...Object.entries(more)])}`, { signal });
}

/** JSON from the server; throws an Error with the server's message. */
export async function get(path, options = {}) {
  const answer = await fetch(path, options);
  const body = await answer.json().catch(() => ({ error: `the server returned ${answer.status}` }));
  if (!answer.ok) throw Object.assign(new Error(body.error ?? `the server returned ${answer.status}`), body);
  return body;
}
