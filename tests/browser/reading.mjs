// Reading now: start, signs of life, stop; sessions of other apps.
import assert from "node:assert/strict";

async function active(visit) {
	return (await visit.api("_getActiveSessions")).map((element) => element.focusSession);
}

export default {
	/** By the keyboard alone. */
	async startAndStop(visit) {
		const { page } = visit;
		await visit.load();
		await page.clock.install();
		await visit.enter();
		const form = page.locator("#start");
		const document = form.getByLabel("Document");
		await document.focus();
		await page.keyboard.press("Enter");
		await visit.says(form, "This is missing.");
		await visit.look("no document", document);
		// It is said at the field, for a screen reader below the form as well, and no longer than it is so.
		const message = page.locator("#start > .message");
		assert.equal(await message.innerText(), "Document: This is missing.");
		assert.equal(await message.evaluate((element) => getComputedStyle(element).clipPath), "inset(50%)");
		await page.keyboard.type("war & peace");
		assert.equal(await form.locator(".problem").count(), 0);
		assert.deepEqual([await message.innerText(), await document.getAttribute("aria-invalid"), await document.getAttribute("aria-describedby")], ["", null, null]);
		await page.keyboard.press("Tab");
		await page.keyboard.type("home");
		await page.reload();
		await visit.settled();
		assert.equal(await document.inputValue(), "war & peace", "typed before the reload");
		await form.getByLabel("Library").focus();
		await page.keyboard.press("Enter");

		const stop = page.getByRole("button", { name: "Stop reading war & peace", exact: true });
		await stop.waitFor();
		await visit.says(page.locator("#start > .message"), "Reading war & peace.");
		await visit.says(page.locator("#active"), "since 19:00, started here");
		await visit.look("reading", stop);
		await visit.until(async () => (await active(visit))[0].lastSeen !== null, "a first sign of life");
		const [session] = await active(visit);
		assert.deepEqual([session.document, session.lastSeen], ["war & peace", "2025-05-21T17:00:00.000Z"]);

		// The signs go on, in this tab after a reload, too, and the clock runs.
		await page.reload();
		await visit.settled();
		await visit.service("clock", "2025-05-21T17:09:00Z");
		await page.clock.fastForward("01:05");
		await visit.until(async () => (await active(visit))[0].lastSeen === "2025-05-21T17:09:00.000Z", "a sign of life a minute later");
		await visit.says(page.locator(".elapsed"), /^0:09:\d\d$/);

		const progress = page.getByRole("spinbutton", { name: "Read so far, %" });
		await progress.fill("120");
		await progress.press("Enter");
		await visit.says(page.locator(".running .problem"), "Must be a number from 0 to 100.");
		await visit.look("too much progress", progress);
		await progress.fill("25");
		await page.reload();
		assert.equal(await progress.inputValue(), "25", "typed before the reload");
		await stop.focus();
		await page.keyboard.press("Enter");
		await visit.says(page.locator("#start > .message"), "Stopped reading war & peace.");
		await visit.look("stopped", page.locator("#now-title"));
		assert.deepEqual(await active(visit), []);
		const [{ focusSession }] = await visit.api("_getSessions", { document: "war & peace", limit: 1 });
		assert.deepEqual([focusSession.endTime, focusSession.progress, focusSession.library], ["2025-05-21T17:09:00.000Z", 0.25, "home"]);
	},

	/** A document that was only described so far has its title everywhere, and is what that title means. */
	async described(visit) {
		const { page } = visit;
		await visit.load();
		await visit.api("setDocument", { document: "gutenberg-205", title: "Walden", authors: ["H. D. Thoreau"] });
		const { focusSession } = await visit.api("startSession", { document: "gutenberg-205", library: "home" });
		await visit.enter();
		await page.getByRole("button", { name: "Stop reading Walden", exact: true }).waitFor();
		await visit.look("reading it elsewhere");
		await visit.api("removeSession", { focusSession });
		await page.reload();
		await visit.settled();
		await page.locator("#start").getByLabel("Document").fill("Walden");
		await page.locator("#start").getByLabel("Library").fill("home");
		await page.keyboard.press("Enter");
		await visit.says(page.locator("#start > .message"), "Reading Walden.");
		assert.deepEqual((await active(visit)).map(({ document }) => document), ["gutenberg-205"]);
	},

	/** Sessions that another app has started: shown, left alone, stopped at an earlier time. One that got no sign of life for long is stale. */
	async elsewhere(visit) {
		const { page } = visit;
		await visit.load();
		await visit.service("clock", "2025-05-21T03:30:00Z");
		const { focusSession: old } = await visit.api("startSession", { document: "book-2", library: "koreader" });
		await visit.service("clock", "2025-05-21T16:50:00Z");
		const { focusSession: beaten } = await visit.api("startSession", { document: "book-8", library: "koreader" });
		await visit.api("heartbeat", { focusSession: beaten });
		await visit.service("clock", "2025-05-21T16:55:00Z");
		await visit.enter();
		const rows = page.locator("#active > li");
		await visit.says(rows.nth(0), "book-2 since 05:30, started elsewhere stale");
		await visit.says(rows.nth(1), "book-8 since 18:50, started elsewhere");
		assert.equal(await rows.nth(1).locator(".badge").isVisible(), false);
		await visit.look("two of other apps");
		assert.equal((await active(visit))[0].lastSeen, null, "no sign of life from this page");

		await page.getByRole("button", { name: "Stop earlier… reading book-2" }).click();
		const end = page.getByLabel("End");
		assert.equal((await end.inputValue()).slice(0, 16), "2025-05-21T18:55");
		await visit.look("stop earlier", end);
		await end.fill("2025-05-21T05:20");
		await page.keyboard.press("Enter");
		await visit.refused("400 endSession");
		await visit.says(page.locator("#session-dialog .problem"), "This is before the start.");
		await visit.look("an end before the start", end);
		await end.fill("2025-05-21T06:15");
		await page.getByRole("button", { name: "Stop it then" }).click();
		await visit.says(page.locator("#start > .message"), "Stopped reading book-2.");
		await visit.look("one is left", page.locator("#now-title"));
		const ended = (await visit.api("_getSessions", { document: "book-2", order: "desc", limit: 1 }))[0].focusSession;
		assert.deepEqual([ended._id, ended.endTime], [old, "2025-05-21T04:15:00.000Z"]);

		// The other app's signs stop: the session counts as ended, and a late “Stop” is told so.
		await visit.service("clock", "2025-05-21T17:30:00Z");
		await page.getByRole("button", { name: "Stop reading book-8", exact: true }).click();
		await visit.refused("409 endSession");
		await visit.says(page.locator("#start > .message"), "Reading book-8 had ended already: ");
		await visit.look("it had ended", page.locator("#now-title"));
		assert.equal(await rows.count(), 0);

		// So is one that was to be stopped earlier.
		const { focusSession: third } = await visit.api("startSession", { document: "book-9", library: "koreader" });
		await page.reload();
		await page.getByRole("button", { name: "Stop earlier… reading book-9" }).click();
		await visit.api("removeSession", { focusSession: third });
		await page.getByRole("button", { name: "Stop it then" }).click();
		await visit.refused("404 endSession");
		await visit.says(page.locator("#start > .message"), "Reading book-9 had ended already: ");
		assert.equal(await rows.count(), 0);
	},
};
