// A job or a comparison that is still running: asked about until it has ended.
import { make } from "./dom.js";
import { secondsText } from "./words.js";

const soonest = 600;
const latest = 3000;

// Calls `told(jobs)` with each answer until nothing runs any more or `signal` comes.
export async function follow(source, id, told, signal) {
  for (let pause = soonest; !signal.aborted; pause = Math.min(pause * 1.3, latest)) {
    await rest(pause, signal);
    if (signal.aborted) return;
    const answer = await source.job(id);
    if (signal.aborted) return;
    told(answer);
    const states = [...answer.jobs, ...(answer.comparisons ?? [])].map((one) => one.status);
    if (!states.some(isRunning)) return;
  }
}

export const isRunning = (status) => status === "queued" || status === "running";

export class ProgressView {
  constructor() {
    this.fill = make("div", { class: "bar-fill" });
    this.bar = make("div", { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" }, this.fill);
    this.text = make("p", { class: "progress-text" });
    this.element = make("section", { class: "progress" }, make("div", { class: "bloom", "aria-hidden": "true" }), this.text, this.bar);
  }

  // `percent` null: nobody knows how far it is.
  show(message, percent) {
    this.text.textContent = message;
    this.bar.dataset.state = percent === null ? "unknown" : "known";
    this.fill.style.setProperty("--share", `${percent ?? 100}%`);
    if (percent === null) this.bar.removeAttribute("aria-valuenow");
    else this.bar.setAttribute("aria-valuenow", String(percent));
  }

  showJob(job) {
    const { progress } = job;
    if (!progress) {
      this.show(job.status === "queued" ? "Waiting for its turn" : "Starting", null);
      return;
    }
    const left = progress.eta_s ? ` · about ${secondsText(progress.eta_s)} left` : "";
    this.show(`${progress.message || "Working"}${left}`, progress.percent);
  }
}

function rest(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
