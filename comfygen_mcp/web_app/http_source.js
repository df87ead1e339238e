// Where the page in a browser gets everything from: the service's own addresses, with the token if there is one.

const place = "comfygen token";

export class TokenNeeded extends Error {}

// The server understood, and will not: it says why.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.notThere = status === 404;
  }
}

export class HttpSource {
  largest = 1536;

  constructor(base) {
    this.base = base;
  }

  get token() {
    return sessionStorage.getItem(place);
  }

  set token(token) {
    if (token) sessionStorage.setItem(place, token);
    else sessionStorage.removeItem(place);
  }

  async picture(id, edge) {
    return (await this.get(`pictures/${encodeURIComponent(id)}`, { edge })).blob();
  }

  async cards(filters, cursor, limit) {
    const { tags = [], ...rest } = filters;
    return (await this.get("cards", { ...rest, tag: tags, cursor, limit })).json();
  }

  async recipe(id) {
    return (await this.get(`recipes/${encodeURIComponent(id)}`)).json();
  }

  async facets() {
    return (await this.get("facets")).json();
  }

  async film(card) {
    return (await this.recipe(card.id)).download_url;
  }

  async get(path, values = {}) {
    const address = new URL(`gallery/api/${path}`, this.base);
    for (const [name, value] of Object.entries(values)) {
      for (const one of [value].flat()) if (one !== null && one !== undefined && one !== "") address.searchParams.append(name, one);
    }
    const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
    const answer = await this.answer(address, headers);
    if (answer.ok) return answer;
    const told = await answer.json().catch(() => ({}));
    if (answer.status === 401) throw new TokenNeeded(told.error);
    const message = told.error ?? `The server answered ${answer.status}.`;
    throw [400, 404].includes(answer.status) ? new Refused(answer.status, message) : new Error(message);
  }

  // Asks again once when the server says that it was too much.
  async answer(address, headers, again = true) {
    const answer = await fetch(address, { headers, credentials: "omit" }).catch(() => {
      throw new Error("The server does not answer. Is it running?");
    });
    if (answer.status !== 429 || !again) return answer;
    const seconds = Math.min(Number(answer.headers.get("Retry-After")) || 1, 10);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return this.answer(address, headers, false);
  }
}
