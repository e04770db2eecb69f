// Small things for making and changing what the page shows.

export const byId = (id) => document.getElementById(id);

/** An element; attributes that begin with "on" are listeners, null and false leave one out. Text is never read as markup. */
export function make(name, attributes = {}, ...children) {
	const element = document.createElement(name);
	for (const [key, value] of Object.entries(attributes)) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith("on"))
			element.addEventListener(key.slice(2), value);
		else
			element.setAttribute(key, value === true ? "" : value);
	}
	element.append(...children.filter((child) => child !== null && child !== undefined));
	return element;
}

/** Replaces the children of PLACE. The focus stays on the element with the same data-key, or else goes to the nearest heading. */
export function redraw(place, ...children) {
	const focused = place.contains(document.activeElement) ? document.activeElement : null;
	const key = focused?.dataset.key;
	place.replaceChildren(...children);
	if (focused === null)
		return;
	const again = key === undefined ? null : place.querySelector(`[data-key="${CSS.escape(key)}"]`);
	(again ?? headingOf(place)).focus();
}

/** The heading that PLACE stands under, which can have the focus when what had it is gone. */
export function headingOf(place) {
	for (let around = place; around !== null; around = around.parentElement) {
		const heading = around.querySelector(":scope > :is(h2, h3, h4)[tabindex], :scope > div > :is(h2, h3, h4)[tabindex]");
		if (heading !== null && heading.offsetParent !== null)
			return heading;
	}
	return byId("main");
}

/** Shows TEXT in the message of PLACE; kind is "good", "error" or nothing. AGAIN, a function, gives it a button to try once more. */
export function tell(place, text, kind = "", again = null) {
	const message = place.matches(".message") ? place : place.querySelector(":scope > .message") ?? place.querySelector(".message");
	message.className = `message ${kind}`.trim();
	message.replaceChildren(text);
	if (again !== null)
		message.append(" ", make("button", { type: "button", class: "again", onclick: again }, "Try again"));
}

/** Shows what LOAD, an asynchronous function, fetches for PLACE: draw(what). Only the last of several loads is drawn. A failure is told there, and what was
 *  shown before stays. */
export function loader(place, load, draw) {
	let latest = 0;
	return async function reload(...how) {
		const mine = ++latest;
		place.setAttribute("aria-busy", "true");
		try {
			const what = await load(...how);
			if (mine !== latest)
				return;
			draw(what, ...how);
			if (place.querySelector(".message.failed") !== null)
				tell(place, "");
		} catch (error) {
			if (mine === latest)
				tell(place, wordsOf(error), "error failed", () => {
					headingOf(place).focus();
					reload(...how);
				});
		} finally {
			if (mine === latest)
				place.removeAttribute("aria-busy");
		}
	};
}

/** What to say of an error: a Refusal's words, or, of a mistake in this page, that it is one. */
export function wordsOf(error) {
	if (error.status !== undefined)
		return error.whole;
	reportError(error);
	return `This page has an error: ${error.message}`;
}

/** A table with a caption: COLUMNS are its headings, ROWS arrays of texts, the first of which heads the row. */
export function fillTable(table, caption, columns, rows) {
	table.replaceChildren(
		make("caption", {}, caption),
		make("thead", {}, make("tr", {}, ...columns.map((text) => make("th", { scope: "col" }, text)))),
		make("tbody", {}, ...rows.map(([head, ...cells]) =>
			make("tr", {}, make("th", { scope: "row" }, head), ...cells.map((text) => make("td", {}, text))))));
}
