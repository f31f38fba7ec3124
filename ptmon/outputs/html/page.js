"use strict";

/* Tables: a click sorts, the next one the other way round, the third puts the rows as they were. */
for (const table of document.querySelectorAll("table")) {
	const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
	const rows = [...body.rows].filter((row) => !row.classList.contains("rest"));
	const rest = [...body.rows].filter((row) => row.classList.contains("rest"));
	const key = (row, at) => {
		const cell = row.cells[at];
		return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
	};
	const sort = (head, at) => {
		const numbers = head.classList.contains("n"), first = numbers ? "descending" : "ascending";
		const second = numbers ? "ascending" : "descending", now = head.getAttribute("aria-sort");
		const next = now === first ? second : now === second ? null : first;
		heads.forEach((other) => other.removeAttribute("aria-sort"));
		const order = rows.slice();
		if (next) {
			head.setAttribute("aria-sort", next);
			const sign = next === "ascending" ? 1 : -1;
			const compare = numbers
				? (a, b) => (a < b ? -1 : a > b ? 1 : 0)
				: (a, b) => a.localeCompare(b, undefined, {numeric: true});
			order.sort((a, b) => sign * compare(key(a, at), key(b, at)));
		}
		table.classList.toggle("sorted", next !== null);
		body.append(...order, ...rest);
	};
	heads.forEach((head, at) => {
		head.firstElementChild.addEventListener("click", () => sort(head, at));
		head.firstElementChild.addEventListener("keydown", (event) => {
			if (event.key !== "Enter" && event.key !== " ")
				return;
			event.preventDefault();
			sort(head, at);
		});
	});
}

/* The chart: received upwards, sent downwards, by the same scale. */
const chart = document.getElementById("chart");
if (chart) {
	const {units, points} = JSON.parse(document.getElementById("history").textContent);
	const told = document.getElementById("told"), hint = told.textContent;
	const end = points[points.length - 1][0] || 1;
	const least = Math.max(end / 10000, 0.001);
	const HEIGHT = 260, LEFT = 74, RIGHT = 10, TOP = 20, BOTTOM = 24, PAPER = 760;
	let from = 0, to = end, width = 0, bins = [];

	const STEPS = {iec: [1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]], si: [1000, ["B", "kB", "MB", "GB", "TB", "PB"]]};
	const size = (count) => {
		if (units === "raw")
			return `${Math.round(count)} B`;
		const [step, names] = STEPS[units];
		let at = 0;
		while (count >= step && at < names.length - 1) {
			count /= step;
			at++;
		}
		return `${at && count < 10 ? Number(count.toFixed(2)) : at ? Number(count.toFixed(1)) : Math.round(count)} ${names[at]}`;
	};
	const clock = (time, step) => {
		if (end < 120)
			return `${time.toFixed(Math.min(Math.max(0, Math.ceil(-Math.log10(step))), 6))} s`;
		const whole = Math.floor(time), pad = (part) => String(part).padStart(2, "0");
		const rest = step < 1 ? (time - whole).toFixed(Math.min(Math.ceil(-Math.log10(step)), 3)).slice(1) : "";
		const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
		return `${hours ? `${hours}:${pad(minutes)}` : minutes}:${pad(whole % 60)}${rest}`;
	};

	/* The sums at a moment: between two points bytes are taken to flow evenly. */
	const sums = (time) => {
		let low = 0, high = points.length - 1;
		if (time >= points[high][0])
			return [points[high][1], points[high][2]];
		while (high - low > 1) {
			const middle = (low + high) >> 1;
			if (points[middle][0] <= time)
				low = middle;
			else
				high = middle;
		}
		const [a, b] = [points[low], points[high]], part = b[0] > a[0] ? (time - a[0]) / (b[0] - a[0]) : 1;
		return [a[1] + (b[1] - a[1]) * part, a[2] + (b[2] - a[2]) * part];
	};

	const nice = (span, count, steps) => steps.find((step) => span / step <= count) || steps[steps.length - 1];
	const tens = (low, high) => {
		const made = [];
		for (let power = low; power <= high; power++)
			for (const digit of [1, 2, 5])
				made.push(digit * 10 ** power);
		return made;
	};
	const timeSteps = [...tens(-4, 0), 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400, 604800];
	const rateSteps = units === "iec"
		? [0, 1, 2, 3, 4].flatMap((power) => [1, 2, 5, 10, 20, 50, 100, 200, 500].map((digit) => digit * 1024 ** power))
		: tens(0, 14);

	const SVG = "http://www.w3.org/2000/svg";
	const add = (parent, name, attributes, text) => {
		const made = document.createElementNS(SVG, name);
		for (const [key, value] of Object.entries(attributes))
			made.setAttribute(key, value);
		if (text !== undefined)
			made.textContent = text;
		parent.append(made);
		return made;
	};
	const x = (time) => LEFT + (time - from) / (to - from) * (width - LEFT - RIGHT);
	const moment = (event) => {
		const box = chart.firstElementChild.getBoundingClientRect();
		const at = (event.clientX - box.left) / box.width * width;
		return Math.min(Math.max(from + (at - LEFT) / (width - LEFT - RIGHT) * (to - from), from), to);
	};

	const draw = (columns = chart.clientWidth) => {
		width = Math.max(columns, 280);
		const count = Math.min(Math.max(Math.floor((width - LEFT - RIGHT) / 4), 20), 400);
		bins = [];
		for (let at = 0; at < count; at++) {
			const begin = from + (to - from) * at / count, finish = from + (to - from) * (at + 1) / count;
			const [a, b] = [sums(begin), sums(finish)], span = finish - begin;
			bins.push([begin, finish, (b[0] - a[0]) / span, (b[1] - a[1]) / span]);
		}
		let down = Math.max(...bins.map((bin) => bin[2])), up = Math.max(...bins.map((bin) => bin[3]));
		if (up + down === 0)
			up = down = 1;
		[up, down] = [Math.max(up, down / 5), Math.max(down, up / 5)];
		const scale = (HEIGHT - TOP - BOTTOM) / (up + down), zero = TOP + up * scale;

		chart.textContent = "";
		const svg = add(chart, "svg", {viewBox: `0 0 ${width} ${HEIGHT}`});
		const step = nice(up + down, 6, rateSteps);
		for (let rate = -Math.floor(down / step) * step; rate <= up; rate += step) {
			const y = zero - rate * scale;
			add(svg, "line", {class: rate === 0 ? "zero" : "grid", x1: LEFT, x2: width - RIGHT, y1: y, y2: y});
			add(svg, "text", {x: LEFT - 6, y: y + 4, "text-anchor": "end"}, rate === 0 ? "0" : `${size(Math.abs(rate))}/s`);
		}
		const tick = nice(to - from, Math.max(2, width / 130), timeSteps);
		for (let at = Math.ceil(from / tick - 1e-9); at * tick <= to + tick * 1e-9; at++) {
			const place = x(at * tick), anchor = place > width - 30 ? "end" : place < LEFT + 15 ? "start" : "middle";
			add(svg, "line", {class: "grid", x1: place, x2: place, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4});
			add(svg, "text", {x: place, y: HEIGHT - 6, "text-anchor": anchor}, clock(at * tick, tick));
		}
		for (const [name, at, sign] of [["received", 3, 1], ["sent", 2, -1]]) {
			let path = `M${LEFT} ${zero}`;
			for (const bin of bins)
				path += `V${(zero - sign * bin[at] * scale).toFixed(2)}H${x(bin[1]).toFixed(2)}`;
			add(svg, "path", {class: name, d: `${path}V${zero}Z`});
		}
		add(svg, "text", {x: LEFT, y: 12}, "▲ received");
		add(svg, "text", {x: LEFT + 80, y: 12}, "▼ sent");
		add(svg, "rect", {class: "part", x: LEFT, y: TOP, width: 0, height: HEIGHT - TOP - BOTTOM});
	};

	const zoom = (begin, finish) => {
		const span = Math.min(Math.max(finish - begin, least), end);
		from = Math.min(Math.max((begin + finish - span) / 2, 0), end - span);
		to = from + span;
		draw();
	};
	const ways = {
		in: () => zoom(from + (to - from) / 4, to - (to - from) / 4),
		out: () => zoom(from - (to - from) / 2, to + (to - from) / 2),
		left: () => zoom(from - (to - from) / 2, to - (to - from) / 2),
		right: () => zoom(from + (to - from) / 2, to + (to - from) / 2),
		all: () => zoom(0, end),
	};
	for (const button of document.querySelectorAll("[data-zoom]"))
		button.addEventListener("click", ways[button.dataset.zoom]);

	let held = null;
	chart.addEventListener("pointerdown", (event) => {
		held = moment(event);
		chart.setPointerCapture(event.pointerId);
	});
	chart.addEventListener("pointermove", (event) => {
		const now = moment(event);
		const bin = bins.find((one) => now <= one[1]) || bins[bins.length - 1], step = (bin[1] - bin[0]) / 2;
		told.textContent =
			`${clock(bin[0], step)} to ${clock(bin[1], step)}: received ${size(bin[3])}/s, sent ${size(bin[2])}/s`;
		if (held !== null) {
			const part = chart.querySelector(".part"), [a, b] = [x(Math.min(held, now)), x(Math.max(held, now))];
			part.setAttribute("x", a);
			part.setAttribute("width", b - a);
		}
	});
	chart.addEventListener("pointerup", (event) => {
		const [a, b] = [held, moment(event)];
		held = null;
		if (a !== null && Math.abs(x(a) - x(b)) > 5)
			zoom(Math.min(a, b), Math.max(a, b));
	});
	chart.addEventListener("pointercancel", () => {
		held = null;
		draw();
	});
	chart.addEventListener("pointerleave", () => {
		told.textContent = hint;
	});
	chart.addEventListener("dblclick", ways.all);
	addEventListener("beforeprint", () => draw(PAPER));
	addEventListener("afterprint", () => draw());
	new ResizeObserver(() => {
		if (chart.clientWidth && !matchMedia("print").matches && Math.max(chart.clientWidth, 280) !== width)
			draw();
	}).observe(chart);
	draw();
}
