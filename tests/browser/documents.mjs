// The documents: time, progress, time left, and their names.
import assert from "node:assert/strict";

export default {
	async list(visit) {
		const { page } = visit;
		await visit.load();
		// Two hours for a fifth of it, then one for another fifth: 5 h of reading per whole document in the last one.
		for (const [progress, startTime, endTime] of [[0.2, "2025-05-18T10:00:00Z", "2025-05-18T12:00:00Z"], [0.4, "2025-05-19T10:00:00Z", "2025-05-19T11:00:00Z"]]) {
			await visit.service("clock", endTime);
			const { focusSession } = await visit.api("startSession", { document: "walden", library: "home" });
			await visit.api("editSession", { focusSession, startTime });
			await visit.api("endSession", { focusSession, progress });
		}
		await visit.service("clock", "2025-05-21T17:00:00Z");
		await visit.enter("documents");
		const items = page.locator("#document-list > li");
		assert.equal(await items.count(), 10);
		await visit.says(items.nth(0), "book-2 no title yet 3 h 33 min in 21 sessions on 9 days, 37 % of the time Progress not reported 27 Apr 2025 to 8 May 2025");
		await visit.says(items.nth(1), "walden no title yet 3 h in 2 sessions on 2 days, 31 % of the time 40 % read, about 3 h left 18 May 2025 to 19 May 2025");
		await visit.look("documents");

		const range = page.getByLabel("Read in");
		await range.selectOption("the last 30 days");
		await visit.says(page.locator("#document-list"), "27 Apr 2025");
		await range.selectOption("2025");
		await visit.settled();
		assert.equal(await items.count(), 10);
		await visit.api("addSession", { document: "emma", library: "home", startTime: "2023-03-01T10:00:00Z", endTime: "2023-03-01T11:00:00Z" });
		await page.reload();
		await visit.settled();
		await range.selectOption("2023");
		await visit.says(items.nth(0), "emma no title yet 1 h in 1 session on 1 day, 100 % of the time");
		assert.equal(await items.count(), 1);
		await range.selectOption("2024");
		await visit.says(page.locator("#documents-empty"), "Nothing was read in that time.");
		await visit.look("nothing in that year");
		await range.selectOption("all time");
		await page.getByRole("button", { name: "Sessions of book-9" }).click();
		await visit.says(page.locator("#session-list"), "book-9 koreader 4 min");
		assert.equal(await page.locator(".session").count(), 1);
	},

	/** What ended at midnight belongs to the day before it, and to the year before. */
	async newYear(visit) {
		const { page } = visit;
		await visit.api("initUser");
		await visit.api("setSettings", { timezone: "Europe/Berlin" });
		await visit.api("addSession", { document: "walden", library: "home", startTime: "2024-12-31T21:00:00Z", endTime: "2024-12-31T23:00:00Z" });
		await visit.enter();
		await visit.says(page.locator("#year-title"), "Your reading in 2024");
		await visit.says(page.locator("#figures"), "Time read 2 h");
		await visit.go("Documents");
		await visit.says(page.locator("#document-list .document-when"), /^31 Dec 2024$/);
		await visit.look("one day");
	},

	/** Title and authors: kept over a reload before they are saved, shown everywhere afterwards. */
	async names(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter("documents");
		const rename = (name) => page.getByRole("button", { name: `Edit title and authors of ${name}` });
		await rename("book-2").focus();
		await page.keyboard.press("Enter");
		const title = page.getByLabel("Title", { exact: true });
		const authors = page.getByLabel("Authors", { exact: true });
		await visit.look("the dialog", title);
		await title.fill("<b>Krieg & Frieden</b>");
		await authors.fill("Лев Толстой\n\n  Röhl, Hermann ");
		await page.reload();
		await visit.settled();
		await rename("book-2").click();
		assert.equal(await title.inputValue(), "<b>Krieg & Frieden</b>");
		assert.equal(await authors.inputValue(), "Лев Толстой\n\n  Röhl, Hermann ");
		await title.fill("x".repeat(1001));
		await page.getByRole("button", { name: "Save", exact: true }).click();
		await visit.refused("400 setDocument");
		await visit.says(page.locator("#document-dialog .problem"), "Too long: 1001 bytes, at most 1000 are possible.");
		await visit.look("too long", title);
		await title.fill("<b>Krieg & Frieden</b>");
		await page.getByRole("button", { name: "Save", exact: true }).click();
		const first = page.locator("#document-list > li").first();
		await visit.says(first, "<b>Krieg & Frieden</b> Лев Толстой, Röhl, Hermann");
		await visit.look("named", rename("<b>Krieg & Frieden</b>"));
		const [{ document }] = await visit.api("_getDocuments");
		assert.deepEqual([document.title, document.authors], ["<b>Krieg & Frieden</b>", ["Лев Толстой", "Röhl, Hermann"]]);

		// The title is what one types, too.
		await visit.go("Sessions");
		await page.getByRole("button", { name: "Add a past session" }).click();
		await page.locator("#session-document").fill("<b>Krieg & Frieden</b>");
		await page.locator("#session-library").fill("home");
		await page.locator("#session-start").fill("2025-05-20T20:00");
		await page.locator("#session-end").fill("2025-05-20T21:00");
		await page.locator("#session-save").click();
		await visit.says(page.locator("#sessions-message"), "Added.");
		await visit.says(page.locator("#session-list"), "20:00 – 21:00 <b>Krieg & Frieden</b> home 1 h");
		assert.equal((await visit.api("_getSessions", { library: "home" }))[0].focusSession.document, "book-2");
		await page.getByRole("button", { name: "Edit: <b>Krieg & Frieden</b>, 20 May" }).click();
		assert.equal(await page.locator("#session-document").inputValue(), "<b>Krieg & Frieden</b>");
		await page.keyboard.press("Escape");
		await visit.go("Documents");

		// Escape keeps what was typed for the next time, Cancel does not.
		await rename("<b>Krieg & Frieden</b>").click();
		await title.fill("other");
		await page.keyboard.press("Escape");
		await rename("<b>Krieg & Frieden</b>").click();
		assert.equal(await title.inputValue(), "other");
		await page.getByRole("button", { name: "Cancel" }).click();
		await rename("<b>Krieg & Frieden</b>").click();
		assert.equal(await title.inputValue(), "<b>Krieg & Frieden</b>");
		await title.fill("");
		await authors.fill("");
		await page.getByRole("button", { name: "Save", exact: true }).click();
		await visit.says(first, "book-2 no title yet");
	},

	/** Two documents with one title: lists tell them apart, and the title alone starts none, least of all a third. */
	async sameTitle(visit) {
		const { page } = visit;
		await visit.load();
		await visit.api("setDocument", { document: "book-2", title: "Walden" });
		await visit.api("setDocument", { document: "book-8", title: "Walden" });
		await visit.enter("documents");
		await visit.says(page.locator("#document-list"), "Walden (book-2)");
		await visit.says(page.locator("#document-list"), "Walden (book-8)");
		await visit.look("documents");
		await visit.go("Overview");
		const start = page.locator("#start");
		const document = start.getByLabel("Document");
		await document.fill("Walden");
		await start.getByLabel("Library").fill("home");
		await page.keyboard.press("Enter");
		await visit.says(start.locator(".problem"), "2 documents have this title; type the id of one of them: book-2, book-8.");
		await visit.look("which one?", document);
		await document.fill("Walden (book-8)");
		await page.keyboard.press("Enter");
		await page.getByRole("button", { name: "Stop reading Walden (book-8)", exact: true }).waitFor();
		assert.deepEqual((await visit.api("_getActiveSessions")).map(({ focusSession }) => focusSession.document), ["book-8"]);
		await visit.go("Sessions");
		await page.getByRole("button", { name: "Edit: Walden (book-8), 21 May 2025, 17:25" }).click();
		assert.equal(await page.locator("#session-document").inputValue(), "book-8");
		await page.locator("#session-document").fill("Walden");
		await page.locator("#session-save").click();
		await visit.says(page.locator("#session-dialog .problem"), "2 documents have this title");
		await page.locator("#session-document").fill("book-2");
		await page.locator("#session-save").click();
		await visit.says(page.locator(".session").nth(1), "Walden (book-2)");
	},
};
