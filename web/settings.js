// The settings, and the account: export and erasure.
import { byId, make, tell, wordsOf } from "./dom.js";
import { clearProblems, Draft, onSubmit, openDialog, valueOf } from "./forms.js";
import { act, changed, queryOne, reader } from "./reader.js";
import { count, weekdayName, WEEKDAYS } from "./words.js";
import { Refusal } from "./api.js";

// Cities that browsers list by a name that their zone no longer has.
const RENAMED = [
	"Africa/Asmara", "America/Nuuk", "Asia/Ho_Chi_Minh", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Yangon", "Atlantic/Faroe", "Europe/Kyiv", "Pacific/Chuuk",
	"Pacific/Kanton", "Pacific/Pohnpei",
];

const form = byId("settings");
const draft = new Draft(form);
const erasing = byId("erase-dialog");

export const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";

/** GONE(words) is called once the reader was erased. */
export function setUpSettings(gone) {
	byId("weekStart").append(...WEEKDAYS.map((name, index) => make("option", { value: name }, weekdayName(index + 1))));
	onSubmit(form, save);
	byId("settings-undo").addEventListener("click", () => {
		draft.drop();
		clearProblems(form);
		tell(form, "");
		fill();
	});
	byId("export-button").addEventListener("click", download);
	byId("erase-button").addEventListener("click", () => {
		byId("erase-name").textContent = reader.name;
		byId("erase-confirm").value = "";
		openDialog(erasing);
		byId("erase-confirm").focus();
	});
	erasing.querySelector(".cancel").addEventListener("click", () => erasing.close(""));
	onSubmit(byId("erase-form"), async (sent) => {
		const { removedSessions } = await act("removeUser", { confirm: valueOf(sent, "confirm") });
		erasing.close("erased");
		gone(`${reader.name} was erased, with ${count(removedSessions, "session")}.`);
	});
}

/** Shows what is stored, and over it what was typed and not saved. */
export function showSettings() {
	fill();
	draft.restore(`${reader.name}:settings`);
}

/** Seconds of the API as minutes of the form, and back. */
const minutesOf = (seconds) => String(Number((seconds / 60).toFixed(4)));
const secondsOf = (minutes) => Math.round(Number(minutes) * 60);

function fill() {
	const { timezone, dayStart, weekStart, dailyGoalSeconds, idleTimeoutSeconds } = reader.settings;
	fillZones(timezone);
	byId("timezone-hint").textContent = timezone === browserZone ? "That of this browser, too." : `This browser is in ${browserZone}.`;
	byId("dayStart").value = dayStart;
	byId("weekStart").value = weekStart;
	byId("dailyGoal").value = minutesOf(dailyGoalSeconds);
	byId("idleTimeout").value = minutesOf(idleTimeoutSeconds);
}

/** The zones that this browser knows; the reader's own may be one that it does not list, such as an older name. */
function fillZones(chosen) {
	const option = (zone) => make("option", { value: zone, selected: zone === chosen }, zone);
	const first = [...new Set([chosen, browserZone, "UTC"])];
	const regions = new Map();
	for (const zone of [...new Set([...Intl.supportedValuesOf("timeZone"), ...RENAMED])].sort().filter((name) => !first.includes(name))) {
		const region = zone.includes("/") ? zone.slice(0, zone.indexOf("/")) : "Other";
		regions.set(region, [...regions.get(region) ?? [], zone]);
	}
	byId("timezone").replaceChildren(make("optgroup", { label: "Close at hand" }, ...first.map(option)),
		...[...regions].map(([region, zones]) => make("optgroup", { label: region }, ...zones.map(option))));
}

async function save() {
	const stored = reader.settings;
	const seconds = (name) => {
		const typed = valueOf(form, name);
		return typed === minutesOf(stored[name]) ? stored[name] : secondsOf(typed);
	};
	const wanted = {
		timezone: valueOf(form, "timezone"),
		dayStart: valueOf(form, "dayStart").slice(0, 5),
		weekStart: valueOf(form, "weekStart"),
		dailyGoalSeconds: seconds("dailyGoalSeconds"),
		idleTimeoutSeconds: seconds("idleTimeoutSeconds"),
	};
	const fields = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== stored[name]));
	if (Object.keys(fields).length === 0) {
		draft.drop();
		return "Nothing was changed.";
	}
	try {
		await act("setSettings", fields);
	} catch (error) {
		throw inMinutes(error);
	}
	draft.drop();
	await changed();
	return "Saved. Everything is counted by these settings now.";
}

/** The service speaks of seconds where this form has minutes. */
function inMinutes(error) {
	const [least, most] = { dailyGoalSeconds: [0, 1440], idleTimeoutSeconds: [1, 1440] }[error.field] ?? [];
	return error.status !== 400 || least === undefined ? error : new Refusal(`must be ${least} to ${most} minutes`, 400, error.field);
}

async function download() {
	const place = byId("export");
	try {
		const everything = await queryOne("_exportUser", "export");
		const url = URL.createObjectURL(new Blob([`${JSON.stringify(everything, null, "\t")}\n`], { type: "application/json" }));
		make("a", { href: url, download: `focusstats-${reader.name.replace(/[^\p{L}\p{N}.@_-]+/gu, "_")}-${reader.today}.json` }).click();
		setTimeout(() => URL.revokeObjectURL(url), 60_000);
		tell(place, `Downloaded: ${count(everything.sessions.length, "session")} and ${count(everything.documents.length, "document")} with a title.`, "good");
	} catch (error) {
		tell(place, wordsOf(error), "error");
	}
}
