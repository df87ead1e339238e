// Results of our tools, whichever tool it was, as what the page shows of them.

// One of: cards (with the tool's own cursor), a running job, a comparison, a refusal, or nothing.
export function shownOf(structured) {
  if (!structured) return { kind: "nothing" };
  if (structured.entries) return { kind: "cards", cards: structured.entries.map(cardOfRow), cursor: structured.cursor ?? null, total: structured.total ?? null };
  if (structured.cells) return { kind: "comparison", comparison: structured };
  if (structured.output) return { kind: "cards", cards: [cardOfOutput(structured.output, structured)], cursor: null, total: 1 };
  if (structured.comparisons?.length === 1 && !structured.jobs?.length) return { kind: "comparison", comparison: structured.comparisons[0] };
  if (structured.jobs?.length === 1) return shownJob(structured.jobs[0]);
  if (structured.jobs) return { kind: "cards", cards: structured.jobs.flatMap(cardsOfJob), cursor: null, total: null };
  if (structured.outputs) return shownJob(structured);
  return { kind: "nothing" };
}

function shownJob(job) {
  if (job.status === "queued" || job.status === "running") return { kind: "job", job };
  if (job.status === "planned") return { kind: "nothing" };
  if (!job.outputs.length) return { kind: "refusal", text: [`The job was ${job.status}.`, job.error].filter(Boolean).join(" ") };
  return { kind: "cards", cards: cardsOfJob(job), cursor: null, total: null };
}

// A video comes with a picture of itself, which its own tile shows already.
function cardsOfJob(job) {
  const videos = job.outputs.filter((output) => output.media === "video");
  return (videos.length ? videos : job.outputs).map((output) => cardOfOutput(output, job));
}

function cardOfOutput(output, recipe) {
  return {
    id: output.generation_id,
    prompt: recipe.prompt ?? "",
    model: recipe.model ?? "",
    kind: recipe.kind ?? "other",
    seed: recipe.seed_text ?? String(recipe.seed ?? ""),
    media: output.media,
    mime: output.mime_type,
    width: output.width,
    height: output.height,
    size_bytes: output.size_bytes,
  };
}

function cardOfRow(row) {
  const [width, height] = (row.size ?? "").split("x").map(Number);
  return {
    id: row.id,
    prompt: row.prompt ?? "",
    model: row.model ?? "",
    kind: row.kind ?? "other",
    seed: row.seed_text ?? String(row.seed ?? ""),
    media: row.media ?? "image",
    mime: "",
    width: width || null,
    height: height || null,
    size_bytes: 0,
  };
}

// The filters of a search, so that the page can turn further pages of it.
export function filtersOf(searched) {
  const names = ["text", "contains", "model", "backend", "workflow", "lora", "preset", "kind", "seed", "min_score", "since", "until", "group", "parent", "sort"];
  const given = names.filter((name) => searched[name] !== undefined && searched[name] !== null);
  const filters = Object.fromEntries(given.map((name) => [name, searched[name]]));
  const tags = (searched.tag ?? "").split(",").map((tag) => tag.trim()).filter(Boolean);
  return tags.length ? { ...filters, tags } : filters;
}
