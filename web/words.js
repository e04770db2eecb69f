// Numbers and dates as words. Dates are those of the API ("2025-11-10"), which belong to no time zone.

/** The page is in English, so its dates are, in the reader's own kind of it. */
export const locale = (navigator.languages ?? []).find((language) => /^en\b/.test(language)) ?? "en-GB";

export const DAY_MS = 86_400_000;
export const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

export function count(number, one, many = `${one}s`) {
	return `${number.toLocaleString(locale)} ${number === 1 ? one : many}`;
}

/** Seconds as "1 h 24 min", "24 min" or "42 s". */
export function duration(seconds) {
	if (seconds > 0 && seconds < 60)
		return `${seconds} s`;
	const minutes = Math.round(seconds / 60);
	const hours = Math.floor(minutes / 60);
	if (hours === 0)
		return `${minutes} min`;
	return minutes % 60 === 0 ? `${hours.toLocaleString(locale)} h` : `${hours.toLocaleString(locale)} h ${minutes % 60} min`;
}

/** Seconds as a clock that runs: "0:12:31". */
export function stopwatch(seconds) {
	const two = (number) => String(number).padStart(2, "0");
	return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

export function percent(part) {
	return `${Math.round(part * 100)} %`;
}

const formats = {
	full: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
	long: { weekday: "short", day: "numeric", month: "short", year: "numeric" },
	plain: { day: "numeric", month: "short", year: "numeric" },
	short: { day: "numeric", month: "short" },
	month: { month: "long", year: "numeric" },
	monthOnly: { month: "short" },
	weekday: { weekday: "long" },
	weekdayShort: { weekday: "short" },
};
const formatters = new Map();

/** A date of the API in one of the formats above. */
export function dateWords(date, format = "plain") {
	if (!formatters.has(format))
		formatters.set(format, new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...formats[format] }));
	return formatters.get(format).format(dayNumber(date) * DAY_MS);
}

/** Days since 1970-01-01, and back. */
export function dayNumber(date) {
	return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

export function dateOf(day) {
	return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The ISO weekday, 1 to 7, of a day. */
export function weekdayOf(day) {
	return (((day + 3) % 7) + 7) % 7 + 1;
}

/** The weekdays' names from Monday on. */
export function weekdayName(weekday, format = "weekday") {
	return dateWords(dateOf(weekday + 3), format);
}

/** The first of the week that holds DAY, where weeks begin on WEEKSTART, one of WEEKDAYS. */
export function weekOf(day, weekStart) {
	return day - (weekdayOf(day) - 1 - WEEKDAYS.indexOf(weekStart) + 7) % 7;
}
