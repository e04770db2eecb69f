// Who reads, what is set for them, and requests in their name.
import { ask, post, Refusal } from "./api.js";
import { Calendar } from "./zone.js";

/** What the whole page knows of the reader. */
export const reader = {
	user: null, // as requests name it; null where the web server signs people in and requests leave it out
	name: "", // as the page names it
	settings: null,
	calendar: null,
	today: "", // the date of the reading day that it is
	documents: new Map(), // by id, in the order of _getDocuments, then those of which no session has ended: what lists show instead of the id
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
	const [settings, goal, documents, described] = await Promise.all([
		queryOne("_getSettings", "settings"), queryOne("_getGoal", "goal"), queryAll("_getDocuments", "document"), queryAll("_getTitles", "document"),
	]);
	reader.settings = settings;
	reader.calendar = new Calendar(settings.timezone, settings.dayStart);
	reader.today = goal.date;
	reader.documents = new Map(documents.map((document) => [document.document, document]));
	for (const document of described)
		if (!reader.documents.has(document.document))
			reader.documents.set(document.document, document);
	titled.clear();
	for (const { document, title } of reader.documents.values())
		if (title !== null)
			titled.set(title, [...titled.get(title) ?? [], document]);
}

const titled = new Map(); // ids by title

/** The ids of the documents that may be meant by TEXT. An id is always itself. */
function idsNamed(text) {
	return reader.documents.has(text) ? [text] : titled.get(text) ?? [];
}

/** What to call a document: its title, with the id where something else is called the same. */
export function titleOf(id) {
	const title = reader.documents.get(id)?.title ?? id;
	return title === id || isOnly(id, title) ? title : `${title} (${id})`;
}

/** What a person types for a document: its title, where nothing else is called the same, or else its id. */
export function nameOf(id) {
	const title = reader.documents.get(id)?.title ?? id;
	return isOnly(id, title) ? title : id;
}

function isOnly(id, title) {
	const ids = idsNamed(title);
	return ids.length === 1 && ids[0] === id;
}

/** The id of the document that was typed so: a known id or title, or a title as lists show it, or else a new id. Throws where several are called so. */
export function documentNamed(text) {
	const ids = idsNamed(text);
	if (ids.length > 1)
		throw new Refusal(`${ids.length} documents have this title; type the id of one of them: ${ids.join(", ")}`, 0, "document");
	return ids[0] ?? [...reader.documents.keys()].find((id) => titleOf(id) === text) ?? text;
}

/** The name of who is signed in. An answer about a session has it, and where there is no session _viewStats is short. */
export async function signedInName() {
	const [session] = await queryAll("_getSessions", "focusSession", { limit: 1 });
	return session?.user ?? (await queryOne("_viewStats", "focusStats")).user;
}
