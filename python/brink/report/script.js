// Read-out under the pointer: the values of each line at the nearest point.
"use strict";
for (const figure of document.querySelectorAll("figure.chart:not(.still)")) {
  const svg = figure.querySelector("svg[role=img]"), readout = figure.querySelector(".readout");
  const hover = svg.querySelector(".hover"), cursor = hover.querySelector(".cursor");
  const data = JSON.parse(figure.querySelector("script").textContent);
  const [low, high, begin, end, log] = data.x;
  const place = log ? Math.log10 : (v) => v;
  const pixel = (v) => begin + (place(v) - place(low)) / ((place(high) - place(low)) || 1) * (end - begin);
  const text = (v) => v === null ? "–" : Math.abs(v) >= 100 ? v.toLocaleString("en", { maximumFractionDigits: 0 }) : String(+v.toPrecision(3));
  const nearest = (xs, at) => {
    let a = 0, b = xs.length - 1;
    while (b - a > 1) { const m = (a + b) >> 1; if (pixel(xs[m]) <= at) a = m; else b = m; }
    return Math.abs(pixel(xs[a]) - at) <= Math.abs(pixel(xs[b]) - at) ? a : b;
  };
  const hide = () => { hover.setAttribute("visibility", "hidden"); readout.hidden = true; };
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
    const at = (event.clientX - box.left) * scale;
    if (at < begin || at > end || !data.lines.length || !data.lines[0].x.length) return hide();
    const first = data.lines[0], x = first.x[nearest(first.x, at)], px = pixel(x);
    cursor.setAttribute("x1", px); cursor.setAttribute("x2", px);
    cursor.setAttribute("y1", data.y[0]); cursor.setAttribute("y2", data.y[1]);
    hover.setAttribute("visibility", "visible");
    readout.replaceChildren();
    const head = document.createElement("div");
    head.textContent = data.x_name + ": " + text(x);
    readout.append(head);
    for (const line of data.lines) {
      const row = document.createElement("div"), dot = document.createElement("i"), value = document.createElement("b");
      dot.style.background = line.colour;
      value.textContent = text(line.y[nearest(line.x, at)]);
      row.append(dot, data.lines.length > 1 ? line.name + " " : data.y_name + " ", value);
      readout.append(row);
    }
    readout.hidden = false;
    const left = px / scale + 14, room = figure.clientWidth - readout.offsetWidth - 8;
    readout.style.left = Math.max(8, left <= room ? left + 14 : px / scale - readout.offsetWidth) + "px";
  });
}
