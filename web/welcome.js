// Who reads: whom the web server signs in, or else a name that is asked for and kept in this browser.
import { post } from "./api.js";
import { byId, tell, wordsOf } from "./dom.js";
import { Draft, onSubmit, valueOf } from "./forms.js";
import { act, reader, signedInName } from "./reader.js";
import { browserZone } from "./settings.js";

const KEPT = "focusstats-reader";

const section = byId("welcome");
const enter = byId("enter");
const create = byId("create");
let ready = null;

/** READY() is called once it is known who reads, and shows the dashboard instead of the welcome where the service knows them. */
export function setUpWelcome(whenReady) {
	ready = whenReady;
	new Draft(enter).restore("enter");
	byId("create-zone-name").textContent = browserZone;
	onSubmit(enter, async () => {
		reader.user = valueOf(enter, "user");
		await begin();
	});
	onSubmit(create, async () => {
		await act("initUser");
		if (byId("create-zone").checked && browserZone !== "UTC")
			await act("setSettings", { timezone: browserZone });
		await begin();
	});
	byId("create-other").addEventListener("click", () => askForName());
	byId("leave").addEventListener("click", () => {
		keepName(null);
		askForName();
	});
	byId("welcome-again").firstElementChild.addEventListener("click", () => identify());
}

/** Finds out who reads: the name that this browser keeps, where the service lets it; else whom the web server signs in. Without a user in the request, a server
 *  where nobody signs in says that it is missing. */
export async function identify() {
	show("Asking the service who you are…");
	const kept = keptName();
	for (const name of kept === null ? [null] : [kept, null]) {
		reader.user = name;
		try {
			if (name === null)
				await post("_getSettings", {});
			await begin();
			return;
		} catch (error) {
			if (name !== null && error.status === 403)
				continue;
			if (error.unknownUser)
				offerToCreate(error.unknownUser);
			else if (error.field === "user" && name === null)
				askForName();
			else
				show(wordsOf(error), byId("welcome-again"));
			return;
		}
	}
}

/** Goes on to the dashboard, or to the question whether to create the reader; throws what else went wrong. */
async function begin() {
	try {
		reader.name = reader.user ?? await signedInName();
		await ready();
	} catch (error) {
		if (!error.unknownUser)
			throw error;
		offerToCreate(error.unknownUser);
		return;
	}
	if (reader.user !== null)
		keepName(reader.user);
}

/** Back here from the dashboard, with WORDS about why. */
export function leave(words) {
	if (reader.user === null) {
		offerToCreate(reader.name, words);
	} else {
		keepName(null);
		askForName(words);
	}
}

function askForName(words = "This service asks nobody for a password, so it has to be told. Reading apps call it the user’s id.") {
	show(words, enter);
	enter.elements.user.focus();
}

function offerToCreate(name, words = "") {
	reader.name = name;
	byId("create-text").textContent = `The service does not know a reader “${name}” yet. Create it, and start with an empty history?`;
	byId("create-other").hidden = reader.user === null;
	show(words, create);
	create.querySelector("button").focus();
}

/** Shows WORDS and one of the forms, instead of the dashboard. */
function show(words, form = null) {
	byId("views").hidden = true;
	byId("navigation").hidden = true;
	byId("who").hidden = true;
	section.hidden = false;
	byId("welcome-text").textContent = words;
	for (const other of [enter, create, byId("welcome-again")])
		other.hidden = other !== form;
	if (form !== null && form.matches("form"))
		tell(form, "");
}

// The name lives as long as the browser keeps things for this page; a tab that was given another one keeps that for itself.

function keptName() {
	try {
		return sessionStorage.getItem(KEPT) ?? localStorage.getItem(KEPT);
	} catch {
		return null;
	}
}

function keepName(name) {
	try {
		for (const storage of [sessionStorage, localStorage]) {
			if (name === null)
				storage.removeItem(KEPT);
			else
				storage.setItem(KEPT, name);
		}
	} catch {
		// A browser that keeps nothing asks again.
	}
}
