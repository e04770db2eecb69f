// The dashboard: who reads, which view is shown, and what is fetched anew after a change. Each part of a view is a module of its own.
import { byId, make, tell, wordsOf } from "./dom.js";
import { fetchKept, keep } from "./forms.js";
import { setUpDocuments, showDocuments } from "./documents.js";
import { act, changed, loadReader, nameOf, onChange, reader } from "./reader.js";
import { forgetReading, setUpReading, showReading } from "./reading.js";
import { setUpSessionDialogs } from "./session-dialog.js";
import { filterSessions, resetSessions, setUpSessions, showSessions } from "./sessions.js";
import { browserZone, setUpSettings, showSettings } from "./settings.js";
import { setUpToday, showToday } from "./today.js";
import { identify, leave, setUpWelcome } from "./welcome.js";
import { forgetYear, setUpYear, showYear } from "./year.js";

const views = {
	overview: () => Promise.all([showReading(), showToday(), showYear()]),
	documents: showDocuments,
	sessions: showSessions,
	settings: showSettings,
};

let current = null;

function wanted() {
	const name = location.hash.slice(1);
	return Object.hasOwn(views, name) ? name : "overview";
}

/** Shows the view that the address names. Whoever chose it hears its heading. */
async function show({ focus }) {
	current = wanted();
	for (const name of Object.keys(views))
		byId(`view-${name}`).hidden = name !== current;
	for (const link of byId("navigation").children) {
		if (link.hash === `#${current}`)
			link.setAttribute("aria-current", "page");
		else
			link.removeAttribute("aria-current");
	}
	const heading = byId(`${current}-title`);
	document.title = `${heading.textContent} – FocusStats`;
	if (focus) {
		scrollTo(0, 0);
		heading.focus({ preventScroll: true });
	}
	await views[current]();
}

function go(name) {
	if (location.hash === `#${name}`)
		show({ focus: true });
	else
		location.hash = name;
}

addEventListener("hashchange", () => {
	if (reader.calendar === null)
		return;
	if (location.hash === "#main")
		history.replaceState(null, "", `#${current}`);
	else
		show({ focus: true });
});

/** The dashboard of the reader who is known now. */
async function enter() {
	await loadReader();
	forgetYear();
	forgetReading();
	resetSessions();
	describeReader();
	const focus = byId("welcome").contains(document.activeElement);
	byId("welcome").hidden = true;
	byId("views").hidden = false;
	byId("navigation").hidden = false;
	byId("who").hidden = false;
	await show({ focus });
}

/** What every view shows of the reader. */
function describeReader() {
	const { timezone, dayStart } = reader.settings;
	byId("who-name").textContent = reader.name;
	byId("leave").hidden = reader.user === null;
	byId("calendar-line").replaceChildren("Days and times are those of ", make("strong", {}, timezone), "; a day begins at ", make("strong", {}, dayStart), ".",
		reader.calendar.known ? "" : " This browser does not know that zone and shows times in UTC.");
	byId("known-documents").replaceChildren(...[...reader.documents.values()].map(({ document, title }) => {
		const name = nameOf(document);
		return make("option", { value: name }, name !== document ? document : title ?? "");
	}));
	const offer = byId("zone-offer");
	offer.hidden = timezone !== "UTC" || browserZone === "UTC" || fetchKept(`focusstats-utc:${reader.name}`) !== null;
	byId("zone-offer-text").textContent = `Your days are counted in UTC, and this browser is in ${browserZone}.`;
	byId("zone-offer-take").textContent = `Count them in ${browserZone}`;
}

/** After a change: what every view shows, then the view itself. What cannot be fetched is said by its own part of the view. */
async function refresh() {
	try {
		await loadReader();
		describeReader();
	} catch {
		// The parts of the view ask the same service.
	}
	await show({ focus: false });
}

async function takeZone() {
	const offer = byId("zone-offer");
	try {
		await act("setSettings", { timezone: browserZone });
		byId("overview-title").focus();
		await changed();
	} catch (error) {
		tell(offer, wordsOf(error), "error");
	}
}

setUpReading();
setUpToday(refresh);
setUpYear((date) => {
	filterSessions({ from: date, to: date });
	go("sessions");
});
setUpDocuments((document) => {
	filterSessions({ document });
	go("sessions");
});
setUpSessions();
setUpSessionDialogs();
setUpSettings((words) => {
	reader.calendar = null;
	forgetReading();
	history.replaceState(null, "", "#overview");
	leave(words);
});
byId("zone-offer-take").addEventListener("click", takeZone);
byId("zone-offer-leave").addEventListener("click", () => {
	keep(`focusstats-utc:${reader.name}`, true);
	byId("zone-offer").hidden = true;
	byId("overview-title").focus();
});
onChange(refresh);
setUpWelcome(enter);
identify();
