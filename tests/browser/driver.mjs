// Plays scenarios in Chromium for test_dashboard.py: a line of JSON on standard input names one, a line on standard output says how it went. Between the two it
// may ask for something to be done to the service, which is answered by a line, too.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Visit } from "./visit.mjs";

const [modules, chromiumPath] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => {
	const { value, done } = await lines.next();
	return done ? null : JSON.parse(value);
};
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const tools = {
	axe,
	async service(ask, argument) {
		say({ ask, argument });
		const { error } = await next();
		if (error)
			throw new Error(`${ask}: ${error}`);
	},
};

// Chromium's own sandbox needs an ordinary user.
const browser = await chromium.launch({ executablePath: chromiumPath, chromiumSandbox: process.getuid() !== 0 });
for (let job = await next(); job !== null; job = await next()) {
	let visit = null;
	try {
		const { default: scenarios } = await import(`./${job.file}.mjs`);
		visit = new Visit(browser, job, tools);
		await visit.open();
		await scenarios[job.scenario](visit);
		await visit.close();
		say({ ok: true });
	} catch (error) {
		const seen = visit?.problems.length > 0 ? `\nwhat the browser saw: ${visit.problems.join("\n")}` : "";
		await visit?.page?.screenshot({ path: job.picture, fullPage: true }).catch(() => {});
		await visit?.context?.close();
		say({ ok: false, text: `${error.stack}${seen}` });
	}
}
await browser.close();
