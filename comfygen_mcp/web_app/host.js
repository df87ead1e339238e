// The host around an MCP App: JSON-RPC over postMessage, protocol of 2026-01-26.

export class Host {
  constructor(name, version) {
    this.info = { name, version };
    this.pending = new Map();
    this.listeners = new Map();
    this.last = 0;
    this.context = {};
    this.abilities = {};
    addEventListener("message", (event) => {
      if (event.source === parent && event.data?.jsonrpc === "2.0") this.received(event.data);
    });
  }

  on(method, listener) {
    this.listeners.set(method, listener);
  }

  async connect() {
    const told = await this.request("ui/initialize", {
      appInfo: this.info,
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
      protocolVersion: "2026-01-26",
    });
    this.context = told.hostContext ?? {};
    this.abilities = told.hostCapabilities ?? {};
    this.notify("ui/notifications/initialized");
  }

  request(method, params = {}) {
    this.last += 1;
    const id = this.last;
    this.post({ id, method, params });
    return new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }));
  }

  notify(method, params = {}) {
    this.post({ method, params });
  }

  // Calls a tool of our server; an error that the tool tells is thrown.
  async call(name, values) {
    const result = await this.request("tools/call", { name, arguments: values });
    if (result.isError) throw new Error(textOf(result) || `${name} failed.`);
    return result;
  }

  post(message) {
    parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }

  received(message) {
    if (message.method === undefined) this.answered(message);
    else if (message.id === undefined) this.told(message);
    else this.asked(message);
  }

  answered({ id, result, error }) {
    const waiting = this.pending.get(id);
    this.pending.delete(id);
    if (error) waiting?.reject(new Error(error.message ?? "The host refused."));
    else waiting?.resolve(result ?? {});
  }

  told({ method, params }) {
    if (method === "ui/notifications/host-context-changed") this.context = { ...this.context, ...params };
    this.listeners.get(method)?.(params ?? {});
  }

  asked({ id, method, params }) {
    const known = method === "ping" || method === "ui/resource-teardown";
    if (known) this.listeners.get(method)?.(params ?? {});
    this.post(known ? { id, result: {} } : { id, error: { code: -32601, message: `Unknown method ${method}` } });
  }
}

export const textOf = (result) =>
  (result.content ?? []).map((block) => (block.type === "text" ? block.text : "")).join("\n").trim();
