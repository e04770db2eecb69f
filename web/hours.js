// Hours × weekdays: when in the week the reading happens, by the wall clock.
import { byId, fillTable, make } from "./dom.js";
import { reader } from "./reader.js";
import { duration, weekdayName, WEEKDAYS } from "./words.js";

/** Draws what _getHours answered: 168 hours, from Monday's first. */
export function drawHours(hours) {
	const first = WEEKDAYS.indexOf(reader.settings.weekStart);
	const weekdays = Array.from({ length: 7 }, (_, index) => (first + index) % 7 + 1);
	const secondsAt = (weekday, hour) => hours[(weekday - 1) * 24 + hour].seconds;
	const most = Math.max(...hours.map(({ seconds }) => seconds));
	const clock = Array.from({ length: 24 }, (_, hour) => hour);

	byId("hours-grid").replaceChildren(make("table", {},
		make("caption", { class: "unseen" }, "Time read in each hour of the week"),
		make("thead", {}, make("tr", {}, make("th", { scope: "col", class: "corner" }, make("span", { class: "unseen" }, "Weekday")),
			...clock.map((hour) => make("th", { scope: "col", class: hour % 6 === 0 ? "named" : "" }, make("span", {}, String(hour)))))),
		make("tbody", {}, ...weekdays.map((weekday) => make("tr", {},
			make("th", { scope: "row" }, make("abbr", { title: weekdayName(weekday) }, weekdayName(weekday, "weekdayShort"))),
			...clock.map((hour) => {
				const seconds = secondsAt(weekday, hour);
				// A quarter of the busiest hour for each shade, so that a light reader sees a pattern, too.
				const level = most === 0 ? 0 : Math.ceil(4 * seconds / most);
				return make("td", { class: `level-${level}`, title: `${weekdayName(weekday)}, ${hour} to ${hour + 1} h: ${duration(seconds)}` },
					make("span", { class: "unseen" }, duration(seconds)));
			}))))));

	const busiest = hours.find(({ seconds }) => seconds === most);
	byId("hours-words").textContent = most === 0 ? "Nothing was read."
		: `The busiest hour: ${weekdayName(busiest.weekday)}s between ${busiest.hour} and ${busiest.hour + 1} h, ${duration(most)} in all. The strongest shade is that.`;
	fillTable(byId("hours-table"), "Minutes read in each hour of the week",
		["Hour", ...weekdays.map((weekday) => weekdayName(weekday, "weekdayShort"))],
		clock.map((hour) => [`${hour}–${hour + 1}`, ...weekdays.map((weekday) => {
			const seconds = secondsAt(weekday, hour);
			return seconds === 0 ? "–" : seconds < 60 ? "<1" : String(Math.round(seconds / 60));
		})]));
}
