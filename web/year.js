// A year of reading: which one, its figures, and the charts of it.
import { setUpBars, showBars } from "./bars.js";
import { byId, headingOf, loader, make } from "./dom.js";
import { setUpHeat, showHeat } from "./heat.js";
import { drawHours } from "./hours.js";
import { queryAll, queryOne, reader } from "./reader.js";
import { count, duration } from "./words.js";

const section = byId("year");
const choice = byId("year-choice");
let shown = null;

/** OPENDAY(date) shows the sessions of a day. */
export function setUpYear(openDay) {
	setUpHeat(openDay);
	setUpBars(() => shown);
	choice.addEventListener("change", () => go(Number(choice.value)));
	byId("year-before").addEventListener("click", () => go(shown - 1));
	byId("year-after").addEventListener("click", () => go(shown + 1));
}

export function forgetYear() {
	shown = null;
}

function go(year) {
	shown = year;
	return showYear();
}

/** A year's range as the queries take it: local dates, the last one excluded. */
export function rangeOf(year) {
	return { from: `${year}-01-01`, to: `${year + 1}-01-01` };
}

/** The years from the first that has reading to this one, and which of them has the latest. */
export async function yearsOfReading() {
	const summary = await queryOne("_getSummary", "summary");
	const now = Number(reader.today.slice(0, 4));
	if (summary.firstStart === null)
		return { first: now, last: now, latest: now };
	const [start, end] = [Date.parse(summary.firstStart), Date.parse(summary.lastEnd)];
	const yearOf = (date) => Number(date.slice(0, 4));
	const latest = yearOf(reader.calendar.lastDate(start, end));
	return { first: Math.min(yearOf(reader.calendar.dateAt(start)), now), last: Math.max(latest, now), latest };
}

const load = async () => {
	const years = await yearsOfReading();
	shown = Math.min(years.last, Math.max(years.first, shown ?? years.latest));
	const range = rangeOf(shown);
	const [summary, days, hours] = await Promise.all([
		queryOne("_getSummary", "summary", range), queryAll("_getPeriods", "period", { ...range, unit: "day", fill: true }),
		queryAll("_getHours", "hour", range),
	]);
	return { year: shown, years, summary, days, hours };
};

const showFigures = loader(section, load, ({ year, years, summary, days, hours }) => {
	byId("year-name").textContent = year;
	choice.replaceChildren(...Array.from({ length: years.last - years.first + 1 }, (_, back) =>
		make("option", { selected: years.last - back === year }, String(years.last - back))));
	step(byId("year-before"), year > years.first);
	step(byId("year-after"), year < years.last);
	const empty = byId("year-empty");
	empty.hidden = summary.sessions > 0;
	empty.textContent = years.first === years.last && summary.sessions === 0
		? "Nothing has been read yet. Start reading above, or add sessions of the past under “Sessions”; the charts fill by themselves."
		: `Nothing was read in ${year}.`;
	drawFigures(summary);
	showHeat(year, days);
	drawHours(hours);
});

/** A button that cannot be used keeps the focus, so that the next key press is not lost. */
function step(button, usable) {
	button.disabled = !usable && button !== document.activeElement;
	button.setAttribute("aria-disabled", String(!usable));
	if (!usable && button === document.activeElement) {
		headingOf(section).focus();
		button.disabled = true;
	}
}

function drawFigures(summary) {
	const figures = [
		["Time read", duration(summary.seconds)],
		["Days with reading", String(summary.activeDays)],
		["Sessions", String(summary.sessions)],
		["Documents", String(summary.documents)],
		["Average day with reading", duration(summary.averageActiveDaySeconds)],
		["Longest session", duration(summary.longestSessionSeconds)],
	];
	byId("figures").replaceChildren(...figures.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
	const twice = summary.rawSeconds - summary.seconds;
	const note = byId("figures-note");
	note.hidden = twice === 0;
	note.textContent = `Sessions overlap by ${duration(twice)}, which is counted once. `
		+ `${count(summary.sessions, "session")} of ${duration(summary.rawSeconds)} in sum.`;
}

export async function showYear() {
	await showFigures();
	if (shown !== null)
		await showBars();
}
