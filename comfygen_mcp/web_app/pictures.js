// Pixels: fetched when they come into view, painted on a canvas, let go when they are far away.
import { Queue } from "./queue.js";

const edges = [256, 512, 1024, 1536];
const kept = 160;

// The smallest edge that looks sharp in so many CSS pixels.
export function edgeFor(pixels, largest) {
  const wanted = pixels * Math.min(devicePixelRatio || 1, 2) * 0.9;
  return edges.find((edge) => edge >= wanted || edge >= largest) ?? largest;
}

export async function paint(canvas, blob) {
  const bitmap = await createImageBitmap(blob);
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
}

export class Pictures {
  constructor(source) {
    this.source = source;
    this.queue = new Queue(5);
    this.blobs = new Map();
    this.wishes = new Map();
    this.observer = new IntersectionObserver((seen) => seen.forEach((one) => this.seen(one)), {
      rootMargin: "600px 0px",
    });
  }

  // The bytes of one small picture, newly fetched or still at hand.
  async blob(card, edge, signal) {
    const key = `${card.id} ${edge}`;
    const known = this.blobs.get(key);
    if (known) return known;
    const blob = await this.queue.run(() => this.source.picture(card.id, edge), signal);
    this.blobs.set(key, blob);
    if (this.blobs.size > kept) this.blobs.delete(this.blobs.keys().next().value);
    return blob;
  }

  // Paints the card whenever the canvas is near the window; its host element is told `data-state`.
  watch(canvas, card, host) {
    this.wishes.set(canvas, { card, host, painting: null });
    this.observer.observe(canvas);
  }

  forget(root) {
    for (const canvas of root.querySelectorAll("canvas")) {
      this.wishes.get(canvas)?.painting?.abort();
      this.wishes.delete(canvas);
      this.observer.unobserve(canvas);
    }
  }

  seen({ target, isIntersecting }) {
    const wish = this.wishes.get(target);
    if (!wish) return;
    if (isIntersecting) {
      if (!wish.painting) this.show(target, wish);
    } else if (wish.painting) {
      wish.painting.abort();
      wish.painting = null;
      target.width = 0;
      wish.host.dataset.state = "waiting";
    }
  }

  async show(canvas, wish) {
    const painting = new AbortController();
    wish.painting = painting;
    const box = canvas.parentElement.getBoundingClientRect();
    try {
      const blob = await this.blob(wish.card, edgeFor(Math.max(box.width, box.height), 512), painting.signal);
      if (painting.signal.aborted) return;
      await paint(canvas, blob);
      if (!wish.card.width) tellRatio(wish.host, canvas.width / canvas.height);
      wish.host.dataset.state = "shown";
    } catch {
      if (!painting.signal.aborted) wish.host.dataset.state = "broken";
    }
  }
}

// A card that does not know its size learns it now, and so does whoever lays it out.
function tellRatio(host, ratio) {
  host.style.setProperty("--ratio", String(ratio));
  host.dispatchEvent(new CustomEvent("ratio", { bubbles: true, detail: ratio }));
}
