// Numbers, dates and names in words.

const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const month = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" });
const minute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const units = ["B", "kB", "MB", "GB"];

export const kinds = {
  txt2img: "Text to image",
  img2img: "Image to image",
  inpaint: "Inpaint",
  edit: "Edit",
  upscale: "Upscale",
  txt2video: "Text to video",
  img2video: "Image to video",
  other: "Other",
};

export const dayText = (date) => recentText(date) ?? day.format(date);

export const monthText = (date) => recentText(date) ?? month.format(date);

export const timeText = (date) => minute.format(date);

export function bytesText(bytes) {
  let left = bytes;
  let unit = 0;
  for (; left >= 1000 && unit < units.length - 1; unit += 1) left /= 1000;
  return `${left >= 100 || unit === 0 ? Math.round(left) : left.toFixed(1)} ${units[unit]}`;
}

export function secondsText(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export function countText(count, noun) {
  return `${count.toLocaleString()} ${noun}${count === 1 ? "" : "s"}`;
}

export const sizeText = (card) => (card.width ? `${card.width} × ${card.height}` : "");

export const loraText = (lora) => (lora.strength === 1 ? lora.name : `${lora.name} ${lora.strength}`);

// What a picture is called where it cannot be seen.
export function altText(card) {
  const what = card.media === "video" ? "Video" : card.media === "image" ? "Picture" : "File";
  return `${what}: ${card.prompt || "without a prompt"}`;
}

function recentText(date, now = new Date()) {
  const ago = Math.round((midnight(now) - midnight(date)) / 86_400_000);
  return ["Today", "Yesterday"][ago];
}

function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
