// The live stream: keeps the model equal to the server's, and says when nothing comes.

const STALE_MS = 5000;

export class Stream {
  // onChange(ids): tiles that changed, or null for all of them. onFreshness(): stale flipped.
  constructor(url, { onChange, onFreshness }) {
    this.url = url;
    this.onChange = onChange;
    this.onFreshness = onFreshness;
    this.tiles = new Map();
    this.site = null;
    this.collector = null;
    this.stale = false;
    this.anchor = null; // the server's time and this page's clock at the newest message
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.open()));
    setInterval(() => this.watch(), 500);
    this.open();
  }

  open() {
    if (this.source) return;
    this.source = new EventSource(this.url);
    this.source.addEventListener("hello", (event) => this.hello(this.read(event)));
    this.source.addEventListener("tiles", (event) => this.change(this.read(event)));
    this.source.addEventListener("beat", (event) => this.read(event));
    this.source.addEventListener("error", () => this.again());
  }

  // A browser gives up after an answer that is no stream; a restarting proxy gives such answers.
  again() {
    if (this.source?.readyState !== EventSource.CLOSED) return;
    this.close();
    setTimeout(() => document.hidden || this.open(), 2000);
  }

  // A hidden page keeps no connection: a browser allows six to one server.
  close() {
    this.source?.close();
    this.source = null;
  }

  read(event) {
    const message = JSON.parse(event.data);
    this.anchor = { serverMs: Date.parse(message.now), pageMs: performance.now() };
    this.collector = message.collector;
    this.watch();
    return message;
  }

  hello({ site, tiles }) {
    this.site = site;
    this.tiles = new Map(tiles.map((tile) => [tile.equipment, tile]));
    this.onChange(null);
  }

  change({ set, del }) {
    for (const id of del) this.tiles.delete(id);
    let known = del.length === 0;
    for (const [id, fields] of Object.entries(set)) {
      known &&= this.tiles.has(id);
      this.tiles.set(id, { ...this.tiles.get(id), ...fields });
    }
    this.onChange(known ? Object.keys(set) : null);
  }

  watch() {
    const silentMs = this.anchor === null ? 0 : performance.now() - this.anchor.pageMs;
    const stale = silentMs > STALE_MS;
    if (stale === this.stale) return;
    this.stale = stale;
    this.onFreshness();
  }

  // The server's clock; it stands still while nothing comes, because then nobody knows.
  nowMs() {
    if (this.anchor === null) return 0;
    return this.anchor.serverMs + (this.stale ? 0 : performance.now() - this.anchor.pageMs);
  }
}
