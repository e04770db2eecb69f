// What goes wrong, in words where it belongs, and nothing typed is lost.
import assert from "node:assert/strict";

export default {
	/** The service stops: the web server answers 503. */
	async stopped(visit) {
		const { page } = visit;
		await visit.load();
		await visit.enter();
		await visit.service("stop");
		const start = page.locator("#start");
		await start.getByLabel("Document").fill("walden");
		await start.getByLabel("Library").fill("home");
		await start.getByRole("button", { name: "Start reading" }).click();
		await visit.refused("503 startSession");
		await visit.says(start.locator(".message"), "The service does not answer now. What you typed is still here; try again in a moment.");
		await visit.look("a start refused");
		assert.equal(await start.getByLabel("Document").inputValue(), "walden");
		await page.getByText("Month", { exact: true }).click();
		await visit.refused("503 _getPeriods");
		await visit.says(page.locator("#bars > .message"), "The service does not answer now.");

		await visit.go("Documents");
		await visit.says(page.locator("#view-documents > .message"), "The service does not answer now.");
		await visit.look("documents, none to be had");
		await visit.go("Sessions");
		await visit.says(page.locator("#view-sessions > .message").first(), "The service does not answer now.");
		await page.getByRole("button", { name: "Add a past session" }).click();
		await page.locator("#session-document").fill("emma");
		await page.locator("#session-library").fill("home");
		await page.locator("#session-start").fill("2025-05-20T20:00");
		await page.locator("#session-end").fill("2025-05-20T21:00");
		await page.locator("#session-save").click();
		await visit.refused("503 addSession");
		await visit.says(page.locator("#session-dialog .message"), "The service does not answer now.");
		await visit.look("an addition refused");
		assert.equal(await page.locator("#session-document").inputValue(), "emma");

		await visit.service("start");
		visit.refusals = [];
		await page.locator("#session-save").click();
		await visit.says(page.locator("#sessions-message"), "Added.");
		await visit.look("added");
		assert.equal((await visit.api("_getSessions", { document: "emma" })).length, 1);

		// “Try again” where it was told.
		await visit.service("stop");
		await visit.go("Documents");
		await visit.says(page.locator("#view-documents > .message"), "The service does not answer now.");
		await visit.service("start");
		visit.refusals = [];
		await page.locator("#view-documents > .message").getByRole("button", { name: "Try again" }).click();
		await visit.says(page.locator("#document-list"), "book-2");
		await visit.look("documents again", visit.heading("documents"));
		await visit.go("Overview");
		assert.equal(await start.getByLabel("Document").inputValue(), "walden", "typed before the service stopped");
		await start.getByRole("button", { name: "Start reading" }).click();
		await visit.says(page.locator("#active"), "walden");
		assert.equal((await visit.api("_getActiveSessions")).length, 1);

		// A page that opens while there is no service.
		await visit.service("stop");
		await page.reload();
		await visit.says(page.locator("#welcome-text"), "The service does not answer now.");
		await visit.look("nobody there");
		await visit.service("start");
		visit.refusals = [];
		await page.getByRole("button", { name: "Try again" }).click();
		await visit.says(page.locator("#active"), "walden since 19:00, started here");
	},

	/** The answer to a “Stop” is lost: the next one finds the session ended, and says no more than that. */
	async lostAnswer(visit) {
		const { page } = visit;
		await visit.load();
		await visit.api("startSession", { document: "walden", library: "home" });
		await visit.api("startSession", { document: "emma", library: "home" });
		await visit.enter();
		const stop = page.getByRole("button", { name: "Stop reading walden", exact: true });
		await visit.loseAnswer("endSession");
		await stop.click();
		await visit.says(page.locator("#active .message").first(), "The service cannot be reached.");
		await visit.look("an answer lost");
		await visit.service("clock", "2025-05-21T17:20:00Z");
		await stop.click();
		await visit.refused("409 endSession");
		await visit.says(page.locator("#start > .message"), /^Stopped reading walden\.$/);
		await visit.look("stopped", page.locator("#now-title"));

		await page.getByRole("button", { name: "Stop earlier… reading emma" }).click();
		await page.getByLabel("End").fill("2025-05-21T19:00");
		await visit.loseAnswer("endSession");
		await page.getByRole("button", { name: "Stop it then" }).click();
		await visit.says(page.locator("#session-dialog .message"), "The service cannot be reached.");
		await page.getByLabel("End").fill("2025-05-21T19:05");
		await page.getByRole("button", { name: "Stop it then" }).click();
		await visit.refused("409 endSession");
		await visit.says(page.locator("#start > .message"), /^Stopped reading emma\.$/);
		assert.equal(await page.locator("#active > li").count(), 0);
	},

	/** What another device did meanwhile. */
	async refused(visit) {
		const { page } = visit;
		await visit.load();
		const { focusSession } = await visit.api("startSession", { document: "walden", library: "home" });
		await visit.enter();
		await visit.api("endSession", { focusSession });
		await page.getByRole("button", { name: "Stop reading walden", exact: true }).click();
		await visit.refused("409 endSession");
		const said = page.locator("#start > .message");
		await visit.says(said, "Reading walden had ended already: it was stopped elsewhere, or there was no sign of life for too long.");
		await visit.look("it had ended", page.locator("#now-title"));
		assert.equal(await page.locator("#active > li").count(), 0);

		const { focusSession: open } = await visit.api("startSession", { document: "book-9", library: "home" });
		await visit.go("Sessions");
		await page.getByRole("button", { name: /^Edit: book-9, 21 May/ }).click();
		await visit.api("endSession", { focusSession: open });
		await page.locator("#session-start").fill("2025-05-21T19:03");
		await page.locator("#session-save").click();
		await visit.refused("400 editSession");
		await visit.says(page.locator("#session-dialog .problem"), "This is after the end.");
		await page.getByRole("button", { name: "Cancel" }).click();
		const [{ focusSession: session }] = await visit.api("_getSessions", { order: "desc", limit: 1, document: "book-8" });
		await visit.api("removeSession", { focusSession: session._id });
		await page.getByRole("button", { name: /^Edit: book-8, 21 May/ }).click();
		await page.locator("#session-document").fill("emma");
		await page.locator("#session-save").click();
		await visit.refused("404 editSession");
		await visit.says(page.locator("#session-dialog .message"), /no session/);
		await visit.look("it is gone");
		assert.equal(await page.locator("#session-document").inputValue(), "emma");
		await page.keyboard.press("Escape");
		await page.getByRole("button", { name: /^Delete: book-8, 21 May/ }).click();
		await page.getByRole("button", { name: "Delete it" }).click();
		await visit.refused("404 removeSession");
		await visit.says(page.locator("#delete-dialog .message"), /no session/);
		await visit.look("it cannot be deleted again");
	},
};
