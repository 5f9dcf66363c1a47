// Nested lists as the server sends them: their shape, and how they are shown.

export function shapeOf(value) {
  const shape = [];
  for (let part = value; Array.isArray(part); part = part[0]) shape.push(part.length);
  return shape;
}

// Python's bare NaN and Infinity, which the server writes too, become strings.
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replace(/(?<=[[,:\s])-?(?:NaN|Infinity)(?=[\],}\s])/g, '"$&"'));
  }
}

// An input to begin with: zeros of the input's shape, 1 (or a small picture) where it is free.
export function sample(input) {
  const pictureLike = input.shape.length === 4;
  const shape = input.shape.map((size, i) => (size >= 0 ? size : pictureLike && i > 0 ? 8 : 1));
  if (shape.reduce((a, b) => a * b, 1) > 4096) return null;
  const leaf = input.datatype === "BYTES" ? "text" : input.datatype === "BOOL" ? false : 0;
  const fill = (depth) => (depth === shape.length ? leaf : Array.from({ length: shape[depth] }, () => fill(depth + 1)));
  return fill(0);
}

const element = (name, text) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
};

// {width, height, channels, at(x, y, channel)} where the output is one picture, else null.
function pictureOf(value, shape) {
  const kept = shape.map((size, i) => ({ size, i })).filter(({ size }) => size !== 1);
  const small = kept.findIndex(({ size }) => size <= 4);
  const plane = kept.filter((_, i) => !(kept.length === 3 && i === small));
  if (plane.length !== 2 || plane.some(({ size }) => size < 8) || (kept.length === 3 && small < 0) || kept.length > 3) return null;
  const [rows, columns] = plane;
  const channel = kept.length === 3 ? kept[small] : null;
  const at = (x, y, c) => {
    let part = value;
    for (let i = 0; i < shape.length; ++i) {
      part = part[i === rows.i ? y : i === columns.i ? x : channel && i === channel.i ? c : 0];
    }
    return Number(part);
  };
  return { width: columns.size, height: rows.size, channels: channel ? channel.size : 1, at };
}

function draw(picture) {
  const { width, height, channels, at } = picture;
  let low = Infinity, high = -Infinity;
  for (let y = 0; y < height; ++y) for (let x = 0; x < width; ++x) for (let c = 0; c < channels; ++c) {
    const value = at(x, y, c);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low >= 0 && high <= 1) [low, high] = [0, 1];
  else if (low >= 0 && high <= 255) [low, high] = [0, 255];
  const canvas = element("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const level = (value) => (high > low ? (255 * (value - low)) / (high - low) : 0);
  for (let y = 0; y < height; ++y) for (let x = 0; x < width; ++x) {
    const place = 4 * (y * width + x);
    for (let c = 0; c < 3; ++c) pixels.data[place + c] = level(at(x, y, channels >= 3 ? c : 0));
    pixels.data[place + 3] = channels === 4 ? level(at(x, y, 3)) : 255;
  }
  context.putImageData(pixels, 0, 0);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `The output as a picture of ${width} by ${height}, black ${low}, white ${high}`);
  return canvas;
}

const written = (value) => (typeof value === "number" && !Number.isInteger(value) ? value.toPrecision(6) : String(value));

function tableOf(rows) {
  const mostRows = 100, mostColumns = 32;
  const table = element("table");
  for (const row of rows.slice(0, mostRows)) {
    const line = table.insertRow();
    line.className = "tensor";
    for (const value of row.slice(0, mostColumns)) line.insertCell().textContent = written(value);
    if (row.length > mostColumns) line.insertCell().textContent = `… ${row.length - mostColumns} more`;
  }
  if (rows.length > mostRows) table.insertRow().insertCell().textContent = `… ${rows.length - mostRows} more rows`;
  return table;
}

// One output, as a picture, a table or text.
export function show(name, value) {
  const box = element("div");
  const shape = shapeOf(value);
  box.append(element("h3", shape.length ? `${name} [${shape.join(", ")}]` : name));
  const picture = typeof value === "object" ? pictureOf(value, shape) : null;
  if (picture) {
    box.append(draw(picture));
  } else if (shape.length === 1 || shape.length === 2) {
    box.append(tableOf(shape.length === 1 ? [value] : value));
  } else {
    const text = JSON.stringify(value);
    box.append(element("pre", text.length > 20000 ? text.slice(0, 20000) + " …" : text));
  }
  return box;
}
