// Who reads, what is set for them, and requests in their name.
import { ask, post } from "./api.js";
import { Calendar } from "./zone.js";

/** What the whole page knows of the reader. */
export const reader = {
	user: null, // as requests name it; null where the web server signs people in and requests leave it out
	name: "", // as the page names it
	settings: null,
	calendar: null,
	today: "", // the date of the reading day that it is
	documents: new Map(), // by id, in the order of _getDocuments: what lists show instead of the id
	libraries: new Set(), // of the sessions seen so far
};

let watcher = async () => {};

/** WATCHER is called after every change of what is stored. */
export function onChange(call) {
	watcher = call;
}

export function changed() {
	return watcher();
}

const named = (fields) => (reader.user === null ? fields : { user: reader.user, ...fields });

/** An action in the reader's name. */
export function act(action, fields = {}) {
	return post(action, named(fields));
}

/** A query about the reader: all of its elements, or its only one, without the key around them. */
export async function queryAll(query, key, fields = {}) {
	return (await post(query, named(fields))).map((element) => element[key]);
}

export function queryOne(query, key, fields = {}) {
	return ask(query, key, named(fields));
}

/** What the settings, the documents and today are now. */
export async function loadReader() {
	const [settings, goal, documents] = await Promise.all([
		queryOne("_getSettings", "settings"), queryOne("_getGoal", "goal"), queryAll("_getDocuments", "document"),
	]);
	reader.settings = settings;
	reader.calendar = new Calendar(settings.timezone, settings.dayStart);
	reader.today = goal.date;
	reader.documents = new Map(documents.map((document) => [document.document, document]));
}

/** What to call a document. */
export function titleOf(id) {
	return reader.documents.get(id)?.title ?? id;
}

/** What a person types for a document: its title, where no other has the same, or else its id. */
export function nameOf(id) {
	const title = titleOf(id);
	return documentNamed(title) === id ? title : id;
}

/** The id of the document that was typed so: a known id or title, or else a new id. */
export function documentNamed(text) {
	if (reader.documents.has(text))
		return text;
	const [id, ...others] = [...reader.documents.values()].filter(({ title }) => title === text).map(({ document }) => document);
	return id === undefined || others.length > 0 ? text : id;
}

/** The name of who is signed in. An answer about a session has it, and where there is no session _viewStats is short. */
export async function signedInName() {
	const [session] = await queryAll("_getSessions", "focusSession", { limit: 1 });
	return session?.user ?? (await queryOne("_viewStats", "focusStats")).user;
}
