// The pictures of the dashboard for README.md: the reading of tests/data, replayed with progress, titles of old books, and a session that runs.
import { readFile } from "node:fs/promises";

const BOOKS = {
	"book-1": ["Moby-Dick", ["Herman Melville"]], "book-2": ["Middlemarch", ["George Eliot"], 0.86], "book-3": ["Faust", ["Johann Wolfgang von Goethe"]],
	"book-5": ["Emma", ["Jane Austen"]], "book-7": ["Effi Briest", ["Theodor Fontane"]], "book-8": ["Walden", ["Henry David Thoreau"], 0.64],
	"book-9": ["Die Verwandlung", ["Franz Kafka"]], "book-10": ["Hyperion", ["Friedrich Hölderlin"]], "book-11": ["Candide", ["Voltaire"]],
};

export default {
	async all(visit) {
		await replay(visit);
		await visit.enter();
		const { page } = visit;
		await visit.service("clock", "2025-05-21T18:12:00Z");
		await page.locator("#start-document").fill("book-8");
		await page.locator("#start-library").fill("koreader");
		await page.getByRole("button", { name: "Start reading" }).click();
		await visit.says(page.locator("#active"), "Walden");
		await page.getByRole("spinbutton", { name: "Read so far, %" }).fill("66");
		// Its signs of life go on while the clock does.
		const [{ focusSession }] = await visit.api("_getActiveSessions");
		for (const at of ["18:21:00", "18:30:00", "18:31:24"]) {
			await visit.service("clock", `2025-05-21T${at}Z`);
			await visit.api("heartbeat", { focusSession: focusSession._id });
		}
		await page.reload();
		await take(visit, "dashboard", 1280, "light", { fullPage: true });
		await take(visit, "dashboard-dark", 1280, "dark", { fullPage: true });
		await page.locator("#navigation").getByRole("link", { name: "Documents" }).click();
		await take(visit, "dashboard-documents", 1280, "light");
		await page.locator("#navigation").getByRole("link", { name: "Sessions" }).click();
		await page.getByRole("button", { name: /^Edit: Walden, 16 May/ }).click();
		await take(visit, "dashboard-sessions", 1280, "dark");
		await page.keyboard.press("Escape");
		await page.locator("#navigation").getByRole("link", { name: "Overview" }).click();
		await take(visit, "dashboard-narrow", 360, "light");
		await page.locator("#days").evaluate((days) => scrollTo(0, days.offsetTop - 12));
		await take(visit, "dashboard-narrow-year", 360, "dark");
		await page.locator("#navigation").getByRole("link", { name: "Documents" }).click();
		await take(visit, "dashboard-narrow-documents", 360, "light");
		visit.states++;
	},
};

/** As a reading app would have told of it, with a share of each book in proportion to the time so far. */
async function replay(visit) {
	await visit.api("initUser");
	await visit.api("setSettings", { timezone: "Europe/Berlin", dailyGoalSeconds: 1800 });
	const sessions = (await readFile(visit.data, "utf8")).trim().split("\n").map((line) => JSON.parse(line));
	const length = ({ startTime, endTime }) => Date.parse(endTime) - Date.parse(startTime);
	const total = {};
	for (const session of sessions)
		total[session.document] = (total[session.document] ?? 0) + length(session);
	const read = {};
	for (const session of sessions) {
		const { document, library, startTime, endTime } = session;
		const share = BOOKS[document][2];
		read[document] = (read[document] ?? 0) + length(session);
		await visit.service("clock", startTime);
		const { focusSession } = await visit.api("startSession", { document, library });
		await visit.service("clock", endTime);
		await visit.api("endSession", { focusSession, ...share && { progress: share * read[document] / total[document] } });
	}
	for (const [document, [title, authors]] of Object.entries(BOOKS))
		await visit.api("setDocument", { document, title, authors });
}

async function take(visit, name, width, colorScheme, how = {}) {
	const { page } = visit;
	await page.emulateMedia({ colorScheme });
	await page.setViewportSize({ width, height: width < 800 ? 760 : 860 });
	await visit.settled();
	await page.evaluate(() => document.activeElement?.matches("dialog *") || document.activeElement?.blur());
	await page.mouse.move(0, 0);
	await page.screenshot({ path: `${visit.pictures}/${name}.png`, animations: "disabled", ...how });
}
