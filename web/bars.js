// Bars of the time by day, week or month, drawn by Chart.js where the installation has it, and always there as a table.
import { byId, fillTable, loader, make } from "./dom.js";
import { queryAll, reader } from "./reader.js";
import { count, dateOf, dateWords, dayNumber, duration, weekOf } from "./words.js";

const section = byId("bars");
const month = byId("bars-month");
const darkness = matchMedia("(prefers-color-scheme: dark)");
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

let chart = null;
let drawn = null; // what the chart shows, for another go in other colours
let yearOf = () => null;
let monthYear = null; // the year whose months the choice offers

export function setUpBars(year) {
	yearOf = year;
	for (const radio of section.querySelectorAll("input[name=unit]"))
		radio.addEventListener("change", () => showBars());
	month.addEventListener("change", () => showBars());
	for (const preference of [darkness, stillness])
		preference.addEventListener("change", () => drawn !== null && drawChart(drawn));
	if (globalThis.Chart === undefined) {
		section.querySelector(".chart").hidden = true;
		byId("bars-details").open = true;
	}
}

function unit() {
	return section.querySelector("input[name=unit]:checked").value;
}

/** The months of the year to choose from; the one with the latest reading in it is chosen first. */
async function offerMonths(year) {
	if (monthYear === year)
		return;
	const periods = await queryAll("_getPeriods", "period", { from: `${year}-01-01`, to: `${year + 1}-01-01`, unit: "month" });
	const chosen = monthYear === null && month.value.startsWith(`${year}-`) ? month.value : periods.at(-1)?.label
		?? (reader.today.startsWith(`${year}-`) ? reader.today.slice(0, 7) : `${year}-01`);
	month.replaceChildren(...Array.from({ length: 12 }, (_, index) => {
		const label = `${year}-${String(index + 1).padStart(2, "0")}`;
		return make("option", { value: label, selected: label === chosen }, dateWords(`${label}-01`, "month"));
	}));
	monthYear = year;
}

/** The labels that the API gives the periods of the range, in order. */
function slots(by, year) {
	if (by === "month")
		return Array.from({ length: 12 }, (_, index) => `${year}-${String(index + 1).padStart(2, "0")}`);
	if (by === "day") {
		const first = dayNumber(`${month.value}-01`);
		return Array.from({ length: 31 }, (_, index) => dateOf(first + index)).filter((date) => date.startsWith(month.value));
	}
	const labels = [];
	for (let day = weekOf(dayNumber(`${year}-01-01`), reader.settings.weekStart); day < dayNumber(`${year + 1}-01-01`); day += 7)
		labels.push(dateOf(day));
	return labels;
}

export const showBars = loader(section, async () => {
	const year = yearOf();
	await offerMonths(year);
	const by = unit();
	const labels = slots(by, year);
	const nextMonth = dateOf(dayNumber(`${month.value}-01`) + 31).slice(0, 7);
	const range = by === "day" ? { from: labels[0], to: `${nextMonth}-01` } : { from: `${year}-01-01`, to: `${year + 1}-01-01` };
	const periods = new Map((await queryAll("_getPeriods", "period", { ...range, unit: by })).map((period) => [period.label, period]));
	return { by, year, bars: labels.map((label) => ({ label, ...periods.get(label) })) };
}, ({ by, year, bars }) => {
	byId("bars-unit").textContent = by;
	month.hidden = by !== "day";
	const when = by === "day" ? dateWords(`${month.value}-01`, "month") : String(year);
	fillTable(byId("bars-table"), `Time by ${by}, ${when}`, [{ day: "Day", week: "Week from", month: "Month" }[by], "Time", "Sessions", "Documents"],
		bars.filter((bar) => bar.seconds > 0).map((bar) => [longName(by, bar.label), duration(bar.seconds), String(bar.sessions), String(bar.documents)]));
	const total = bars.reduce((sum, bar) => sum + (bar.seconds ?? 0), 0);
	const most = bars.reduce((best, bar) => ((bar.seconds ?? 0) > (best?.seconds ?? 0) ? bar : best), null);
	byId("bars-chart").setAttribute("aria-label", `Bars: time by ${by}, ${when}. ${most === null ? "Nothing was read."
		: `${duration(total)} in all; most on ${longName(by, most.label)}, ${duration(most.seconds)}.`} The table below has all of them.`);
	drawn = { by, bars };
	drawChart(drawn);
});

function longName(by, label) {
	return by === "month" ? dateWords(`${label}-01`, "month") : by === "week" ? dateWords(label) : dateWords(label, "long");
}

function shortName(by, label) {
	if (by === "month")
		return dateWords(`${label}-01`, "monthOnly");
	return by === "week" ? dateWords(label, "short") : String(Number(label.slice(8)));
}

function drawChart({ by, bars }) {
	if (globalThis.Chart === undefined)
		return;
	const style = getComputedStyle(document.documentElement);
	const colour = (name) => style.getPropertyValue(name).trim();
	const most = Math.max(0, ...bars.map((bar) => bar.seconds ?? 0));
	const inHours = most >= 2 * 3600;
	const size = inHours ? 3600 : 60;
	const ticks = { color: colour("--muted"), font: { family: getComputedStyle(document.body).fontFamily, size: 12 } };
	chart?.destroy();
	chart = new globalThis.Chart(byId("bars-chart"), {
		type: "bar",
		data: {
			labels: bars.map((bar) => shortName(by, bar.label)),
			datasets: [{
				data: bars.map((bar) => (bar.seconds ?? 0) / size),
				backgroundColor: colour("--bar"), hoverBackgroundColor: colour("--accent"), borderRadius: 3, maxBarThickness: 34,
				categoryPercentage: 0.9, barPercentage: 0.85,
			}],
		},
		options: {
			animation: stillness.matches ? false : { duration: 250 },
			maintainAspectRatio: false,
			interaction: { mode: "index", intersect: false },
			scales: {
				x: { grid: { display: false }, border: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 10 } },
				y: {
					beginAtZero: true, suggestedMax: inHours ? 2 : 30, grid: { color: colour("--line"), drawBorder: false },
					ticks: { ...ticks, precision: 0, maxTicksLimit: 6, callback: (value) => (value === 0 ? "0" : `${value} ${inHours ? "h" : "min"}`) },
				},
			},
			plugins: {
				legend: { display: false },
				tooltip: {
					displayColors: false, backgroundColor: colour("--text"), titleColor: colour("--ground"), bodyColor: colour("--ground"), padding: 10,
					callbacks: {
						title: ([item]) => longName(by, bars[item.dataIndex].label),
						label: (item) => describe(bars[item.dataIndex]),
					},
				},
			},
		},
	});
}

function describe(bar) {
	return bar.seconds > 0 ? `${duration(bar.seconds)}, ${count(bar.sessions, "session")}` : "nothing";
}
