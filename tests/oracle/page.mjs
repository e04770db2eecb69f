// The dashboard's reading days, those of the zone.js that the first argument names, against those of wall.mjs, around each change of zones' clocks: prints a
// line for each zone, "ZONE: N instants", or what is wrong with the first few.
import {pathToFileURL} from "node:url";
import {Calendar as Wanted, HOUR_MS, tableByIntl} from "./wall.mjs";

globalThis.navigator ??= {};
const [module, from, to, ...zones] = process.argv.slice(2);
const {Calendar} = await import(pathToFileURL(module));

const DAY_STARTS = ["00:00", "00:01", "02:30", "04:00", "12:00", "23:59"];
const AROUND_MS = [0, HOUR_MS / 60, HOUR_MS / 4, HOUR_MS, 1.5 * HOUR_MS, 3 * HOUR_MS, 4.5 * HOUR_MS, 12 * HOUR_MS, 20 * HOUR_MS, 24 * HOUR_MS, 28.5 * HOUR_MS];

for (const zone of zones) {
	const table = tableByIntl(zone, Number(from), Number(to));
	const changes = table.slice(1).map(([instant]) => instant);
	const instants = [...changes, Date.UTC(2024, 1, 29)].flatMap((change) =>
		AROUND_MS.flatMap((ms) => [change - ms - 1, change - ms, change - ms + 1, change + ms - 1, change + ms, change + ms + 1]));
	const wrong = [];
	for (const dayStart of DAY_STARTS) {
		const wanted = new Wanted(table, Number(dayStart.slice(0, 2)) * 60 + Number(dayStart.slice(3)), 1);
		const page = new Calendar(zone, dayStart);
		for (const instant of instants) {
			const date = new Date(wanted.dayOf(instant) * 24 * HOUR_MS).toISOString().slice(0, 10);
			const said = page.dateAt(instant);
			if (said !== date) {
				wrong.push(`${new Date(instant).toISOString()}, day start ${dayStart}: ${said}, not ${date}`);
			}
		}
	}
	console.log(`${zone}: ${wrong.length === 0 ? `${instants.length * DAY_STARTS.length} instants` : `${wrong.length} wrong: ${wrong.slice(0, 3).join("; ")}`}`);
}
