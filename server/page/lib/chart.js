/*
 * Charts over time, as SVG: stacked areas for what is live, stacked bars for days. Each has a name and a summary, a cursor
 * for mouse and keyboard that reads the values out, and the same numbers as a table (docs/decisions/0014).
 */
import { h, put, svg, uid } from "./dom.js";
import { table } from "./parts.js";

const HEIGHT = 200, LEFT = 52, RIGHT = 8, TOP = 8, BOTTOM = 22, TIME_PX = 84, DAY_PX = 54;

/* Round steps for an axis up to `max`: 0, 5, 10, ... */
export function ticks(max, whole = false, wanted = 4) {
	if (!(max > 0))
		return [0];
	const rough = Math.max(max / wanted, whole ? 1 : 0), power = 10 ** Math.floor(Math.log10(rough));
	const step = (whole ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10]).find((factor) => factor * power >= rough * 0.999999) * power;
	return Array.from({ length: Math.ceil(max / step - 1e-9) + 1 }, (_, i) => i * step);
}

/* For each series the [low, high] of every point, one upon the other. */
export function stack(series, length) {
	const base = new Array(length).fill(0);

	return series.map(({ values }) => values.map((value, i) => [base[i], (base[i] += value)]));
}

function geometry(width, points, max, { span = points, whole }) {
	const inner = Math.max(width - LEFT - RIGHT, 10), steps = ticks(max, whole), top = steps.at(-1) || 1;
	const room = Math.max(span, points), first = room - points; /* the newest point is at the right edge */

	return {
		width, inner, steps, slot: inner / Math.max(points, 1),
		y: (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top),
		x: (i) => LEFT + inner * (room > 1 ? (first + i) / (room - 1) : 0.5), /* of an area */
		nearest: (x) => Math.round(((x - LEFT) / inner) * (room - 1)) - first,
		bar: (i) => LEFT + (inner / Math.max(points, 1)) * i,
	};
}

function area(stacked, g) {
	const up = stacked.map(([, high], i) => `${g.x(i).toFixed(1)},${g.y(high).toFixed(1)}`);
	const down = stacked.map(([low], i) => `${g.x(i).toFixed(1)},${g.y(low).toFixed(1)}`).reverse();

	return stacked.length ? `M${up.join("L")}L${down.join("L")}Z` : "";
}

function bars(stacked, g) {
	const gap = Math.min(3, g.slot * 0.2);

	return stacked.map(([low, high], i) => {
		const height = g.y(low) - g.y(high);
		return height > 0 && svg("rect", { x: g.bar(i) + gap / 2, width: Math.max(g.slot - gap, 0.5), y: g.y(high), height });
	});
}

function axes(g, labels, format, asBars) {
	const wide = asBars ? DAY_PX : TIME_PX;
	const every = Math.max(1, Math.ceil(wide / Math.max(asBars ? g.slot : g.x(1) - g.x(0), 0.01)));
	const place = (i) => (asBars ? g.bar(i) + g.slot / 2 : g.x(i));

	return [
		g.steps.map((step) => [
			svg("line.grid", { x1: LEFT, x2: g.width - RIGHT, y1: g.y(step), y2: g.y(step) }),
			svg("text.tick", { x: LEFT - 8, y: g.y(step) + 4, "text-anchor": "end" }, format(step)),
		]),
		labels.map((label, i) => (labels.length - 1 - i) % every === 0 && (i === labels.length - 1 || place(i) < place(labels.length - 1) - wide * 1.25) && svg("text.tick", {
			x: place(i), y: HEIGHT - 4, "text-anchor": place(i) > g.width - 44 ? "end" : place(i) < LEFT + 20 ? "start" : "middle",
		}, label)),
	];
}

function legend(series) {
	return series.length > 1 && h("ul.legend", series.map((one, i) => h("li", h(`span.swatch.series-${one.tone ?? i}`), one.name)));
}

/* The numbers, made when somebody opens them. */
function alternative(chart) {
	const place = h("div");

	return h("details.numbers", {
		ontoggle: (event) => put(place, event.target.open && chart.length() > 0 && table(`${chart.title}, in numbers`, [
			{ name: chart.unit, cell: (i) => chart.longLabel(i) },
			...chart.series().map((one) => ({ name: one.name, number: true, cell: (i) => chart.format(one.values[i]) })),
		], Array.from({ length: chart.length() }, (_, i) => chart.length() - 1 - i), { quiet: true })),
	}, h("summary", "In numbers"), place);
}

/* Where the cursor is, and what it reads. */
class Cursor {
	constructor(chart) {
		this.chart = chart;
		this.line = svg("line.cursor", { y1: TOP, y2: HEIGHT - BOTTOM });
		this.reading = h("div.reading", { hidden: true });
		this.element = h("div.cursor-pad", {
			tabindex: "0", role: "slider", "aria-label": `${chart.title}: a point in time`, "aria-valuemin": "0",
			"aria-valuemax": "0", "aria-valuenow": "0", "aria-valuetext": "no data",
			onpointermove: (event) => this.show(chart.index(event.offsetX)), onpointerleave: () => this.hide(),
			onkeydown: (event) => this.key(event), onfocus: () => this.show(this.at ?? chart.length() - 1), onblur: () => this.hide(),
		});
	}

	key(event) {
		const last = this.chart.length() - 1, at = this.at ?? last;
		const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: last, PageUp: at + 10, PageDown: at - 10 }[event.key];

		if (to === undefined)
			return;
		event.preventDefault();
		this.show(Math.min(Math.max(to, 0), last));
	}

	show(i) {
		const { chart } = this;
		if (!(i >= 0 && i < chart.length()))
			return this.hide();
		const parts = chart.series().map((one) => [one, chart.format(one.values[i])]);
		const x = chart.center(i);

		this.at = i;
		this.line.setAttribute("x1", x);
		this.line.setAttribute("x2", x);
		this.line.setAttribute("visibility", "visible");
		this.element.setAttribute("aria-valuemax", chart.length() - 1);
		this.element.setAttribute("aria-valuenow", i);
		this.element.setAttribute("aria-valuetext", `${chart.longLabel(i)}: ${parts.map(([one, value]) => `${one.name} ${value}`).join(", ")}`);
		put(this.reading, h("strong", chart.longLabel(i)),
			parts.map(([one, value], k) => h("span", h(`span.swatch.series-${one.tone ?? k}`), `${one.name} `, h("b", value))));
		this.reading.hidden = false;
		this.reading.classList.toggle("left", x > chart.width() / 2);
		this.reading.style.setProperty("--x", `${x}px`);
	}

	hide() {
		this.reading.hidden = true;
		this.line.setAttribute("visibility", "hidden");
		this.at = undefined;
	}
}

/*
 * A chart. `asBars`: bars beside each other instead of areas; `format(value)`, and `axis(value)` for the axis; `unit`: what a
 * point is ("Day"); `span`: how many points there is room for at first, if they come one by one; `whole`: values are counts.
 * Answers { element, update({ series: [{ name, values, tone }], labels, longLabels, summary }) }.
 */
export function timeChart({ title, unit, format, axis = format, asBars = false, span, whole }) {
	let data = { series: [], labels: [], longLabels: [], summary: "" }, g = geometry(300, 0, 1, { span, whole });
	const id = uid("chart"), legendPlace = h("div"), summary = h("p.summary", { id: `${id}-text` });
	const drawing = svg("svg", { role: "img", "aria-label": title, "aria-describedby": `${id}-text`, height: HEIGHT });
	const self = {
		title, unit, format, series: () => data.series, length: () => data.labels.length, width: () => g.width,
		longLabel: (i) => data.longLabels?.[i] ?? data.labels[i],
		center: (i) => (asBars ? g.bar(i) + g.slot / 2 : g.x(i)),
		index: (x) => (asBars ? Math.floor((x - LEFT) / g.slot) : g.nearest(x)),
	};
	const cursor = new Cursor(self);
	const frame = h("div.chart-frame", drawing, cursor.element, cursor.reading);
	const element = h("figure.chart", h("figcaption.sr-only", title), legendPlace, frame, summary, alternative(self));

	function draw() {
		const width = frame.clientWidth || 300, at = cursor.reading.hidden ? undefined : cursor.at;
		const stacked = stack(data.series, data.labels.length);
		const max = Math.max(0, ...stacked.flat().map(([, high]) => high));

		g = geometry(width, data.labels.length, max, { span, whole });
		drawing.setAttribute("width", width);
		drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
		put(drawing, axes(g, data.labels, axis, asBars), stacked.map((one, i) => {
			const tone = `series-${data.series[i].tone ?? i}`;
			return asBars ? svg(`g.${tone}`, bars(one, g)) : svg(`path.${tone}`, { d: area(one, g) });
		}), cursor.line);
		if (at !== undefined)
			cursor.show(at);
	}
	new ResizeObserver(() => frame.isConnected && frame.clientWidth !== g.width && draw()).observe(frame);
	cursor.hide();
	return {
		element,
		update(next) {
			const names = next.series.map((one) => one.name).join();
			if (names !== data.series.map((one) => one.name).join())
				put(legendPlace, legend(next.series));
			data = next;
			summary.textContent = next.summary;
			draw();
		},
	};
}
