// A year's heat map: one table of weeks and weekdays, or several below one another where there is no room for one.
import { byId, fillTable, make } from "./dom.js";
import { reader } from "./reader.js";
import { count, dateOf, dateWords, dayNumber, duration, weekOf, weekdayName, weekdayOf } from "./words.js";

const LEVELS = [["nothing", 0], ["under 15 min", 1], ["from 15 min", 15 * 60], ["from 30 min", 30 * 60], ["from 1 h", 60 * 60]];
const FULL_WIDTH = 900;
const HALF_WIDTH = 520;

const place = byId("heat");
let shown = null; // { year, days: Map of date → period }
let parts = 0;
let current = null; // the date that the Tab key reaches
let openDay = null;

export function setUpHeat(open) {
	openDay = open;
	byId("heat-legend").replaceChildren(...LEVELS.map(([name], level) =>
		make("li", {}, make("span", { class: `swatch level-${level}` }), name)));
	new ResizeObserver(() => {
		if (shown !== null && partsThatFit() !== parts)
			draw();
	}).observe(place);
	place.addEventListener("keydown", move);
	place.addEventListener("click", ({ target }) => openCell(target));
	for (const event of ["focusin", "pointerover"])
		place.addEventListener(event, ({ target }) => describe(target.dataset.date));
}

export function showHeat(year, periods) {
	shown = { year, days: new Map(periods.map((period) => [period.label, period])) };
	if (current === null || !current.startsWith(`${year}-`))
		current = reader.today.startsWith(`${year}-`) ? reader.today : `${year}-01-01`;
	draw();
	const read = periods.filter((period) => period.seconds > 0);
	fillTable(byId("heat-table"), `Days with reading in ${year}`, ["Day", "Time", "Sessions", "Documents"],
		read.map((period) => [dateWords(period.label, "long"), duration(period.seconds), String(period.sessions), String(period.documents)]));
}

function partsThatFit() {
	const width = place.clientWidth;
	return width >= FULL_WIDTH ? 1 : width >= HALF_WIDTH ? 2 : 4;
}

function draw() {
	const focused = place.contains(document.activeElement);
	parts = partsThatFit();
	const first = (month) => dayNumber(`${month >= 12 ? shown.year + 1 : shown.year}-${String(month % 12 + 1).padStart(2, "0")}-01`);
	const months = 12 / parts;
	place.className = `heat parts-${parts}`;
	place.replaceChildren(...Array.from({ length: parts }, (_, part) => partOf(first(part * months), first((part + 1) * months))));
	if (focused)
		cellOf(current)?.focus();
}

/** The table of the days from FIRST up to but without END. */
function partOf(first, end) {
	const { weekStart } = reader.settings;
	const start = weekOf(first, weekStart);
	const weeks = Math.ceil((end - start) / 7);
	const columns = Array.from({ length: weeks }, (_, week) => start + week * 7);
	// A month's name stands over the week that holds its first day, and spans its weeks.
	const heads = [];
	for (const week of columns) {
		const month = dateOf(Math.min(Math.max(week + 6, first), end - 1)).slice(0, 7);
		if (heads.at(-1)?.month === month)
			heads.at(-1).span++;
		else
			heads.push({ month, span: 1 });
	}
	const name = (day) => dateWords(dateOf(day), "month");
	const months = make("tr", {}, make("th", { scope: "col", class: "corner" }, make("span", { class: "unseen" }, "Weekday")),
		...heads.map(({ month, span }) => make("th", { scope: "colgroup", colspan: span }, span > 1 ? dateWords(`${month}-01`, "monthOnly") : "")));
	const rows = Array.from({ length: 7 }, (_, row) => make("tr", {},
		make("th", { scope: "row" }, make("abbr", { title: weekdayName(weekdayOf(start + row)) }, weekdayName(weekdayOf(start + row), "weekdayShort"))),
		...columns.map((week) => cell(week + row, first, end))));
	return make("table", { role: "grid", "aria-label": `Reading from ${name(first)} to ${name(end - 1)}` },
		make("thead", {}, months), make("tbody", {}, ...rows));
}

function cell(day, first, end) {
	if (day < first || day >= end)
		return make("td", { class: "outside" });
	const date = dateOf(day);
	const seconds = shown.days.get(date)?.seconds ?? 0;
	const level = LEVELS.findLastIndex(([, least]) => seconds >= least);
	return make("td", {
		class: `day level-${level}${date > reader.today ? " future" : ""}${date === reader.today ? " today" : ""}`,
		tabindex: date === current ? 0 : -1,
		"data-date": date,
		"aria-label": wordsOfDay(date),
	});
}

function wordsOfDay(date) {
	const period = shown.days.get(date);
	const name = dateWords(date, "long");
	if (period === undefined || period.seconds === 0)
		return `${name}: ${date > reader.today ? "still to come" : "nothing"}`;
	return `${name}: ${duration(period.seconds)} in ${count(period.sessions, "session")} of ${count(period.documents, "document")}`;
}

function describe(date) {
	if (date !== undefined)
		byId("heat-day").textContent = `${wordsOfDay(date)}.`;
}

function openCell(target) {
	if (target.dataset.date !== undefined)
		openDay(target.dataset.date);
}

const cellOf = (date) => place.querySelector(`[data-date="${date}"]`);

function move(event) {
	const date = event.target.dataset.date;
	if (date === undefined)
		return;
	if (event.key === "Enter" || event.key === " ") {
		event.preventDefault();
		openCell(event.target);
		return;
	}
	const day = dayNumber(date);
	const to = {
		ArrowLeft: day - 7, ArrowRight: day + 7, ArrowUp: day - 1, ArrowDown: day + 1,
		PageUp: day - 28, PageDown: day + 28, Home: dayNumber(`${shown.year}-01-01`), End: dayNumber(`${shown.year}-12-31`),
	}[event.key];
	const next = to === undefined ? null : cellOf(dateOf(to));
	if (next === null)
		return;
	event.preventDefault();
	cellOf(current)?.setAttribute("tabindex", "-1");
	current = next.dataset.date;
	next.setAttribute("tabindex", "0");
	next.focus();
}
