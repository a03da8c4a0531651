// What is chosen, kept in the address so that a link shows the same; and the questions to the server.
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

/** GET `path` with the chosen parameters and `more`. */
export function ask(path, book, signal, more = {}) {
  const now = state();
  const chosen = book.parameters.map((one) => [one.name, now[one.name] ?? one.default]);
  return get(`${path}?${new URLSearchParams([...chosen, ...Object.entries(more)])}`, { signal });
}

/** JSON from the server; an Error with its words when it refuses. */
export async function get(path, options = {}) {
  const answer = await fetch(path, options);
  const body = await answer.json().catch(() => ({ error: `the server said ${answer.status}` }));
  if (!answer.ok) throw Object.assign(new Error(body.error ?? `the server said ${answer.status}`), body);
  return body;
}
