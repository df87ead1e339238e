// How large tiles can be in the room there is.

const between = 8;
const narrowest = 112;
const widest = 420;

// How many columns and rows of tiles make best use of the room; what does not fit goes on further pages.
export function fitted(count, ratio, { width, height }) {
  const most = Math.max(Math.floor((width + between) / (narrowest + between)), 1);
  for (let columns = 1; columns <= Math.min(most, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const size = Math.min((width - between * (columns - 1)) / columns, widest);
    const needed = rows * (size / ratio) + between * (rows - 1);
    if (needed <= height || (rows === 1 && columns === count)) return { columns, rows, size: Math.min(size, height * ratio) };
  }
  const size = (width - between * (most - 1)) / most;
  const rows = Math.max(Math.floor((height + between) / (size / ratio + between)), 1);
  return { columns: most, rows, size };
}
