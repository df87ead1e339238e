// Does so many things at once; what nobody wants any more is left out.

export class Queue {
  constructor(atOnce) {
    this.free = atOnce;
    this.waiting = [];
  }

  // Runs the task when its turn comes; rejects with AbortError when the signal comes first.
  run(task, signal) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ task, signal, resolve, reject });
      this.next();
    });
  }

  next() {
    while (this.free > 0 && this.waiting.length) this.start(this.waiting.shift());
  }

  start({ task, signal, resolve, reject }) {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    this.free -= 1;
    task()
      .then(resolve, reject)
      .finally(() => {
        this.free += 1;
        this.next();
      });
  }
}
