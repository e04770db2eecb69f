// Validates a description of an API, and values against the schemas in it. openapi.py runs this: a JSON object on standard input,
//
//     {"document": {…}, "checks": [{"pointer": "/paths/…", "closed": true, "value": …}]}
//
// and on standard output {"version": "3.1", "errors": […], "checks": [[…]]}: what is wrong, nothing where nothing is. `closed`: keys that the schema does not
// name are wrong too. The argument is the folder of node_modules.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";

const modules = createRequire(process.argv[2] + "/");
const load = async (name) => (await import(pathToFileURL(modules.resolve(name)))).default;
const Ajv2020 = await load("ajv/dist/2020.js");
const formats = await load("ajv-formats");
const { Validator } = await import(pathToFileURL(process.argv[2] + "/@seriousme/openapi-schema-validator/index.js"));

// The same schema without room for other keys.
function close(schema) {
	if (Array.isArray(schema)) return schema.map(close);
	if (schema === null || typeof schema !== "object") return schema;
	const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, close(value)]));
	return schema.type === "object" && schema.properties && !("additionalProperties" in schema) ? { ...closed, additionalProperties: false } : closed;
}

function find(document, pointer) {
	return pointer
		.split("/")
		.slice(1)
		.reduce((at, name) => at[name.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

const { document, checks } = JSON.parse(readFileSync(0, "utf8"));
const validator = new Validator();
const result = await validator.validate(structuredClone(document));
const compiled = new Map();

function schema(check) {
	const key = `${check.closed} ${check.pointer}`;
	if (!compiled.has(key)) {
		const ajv = formats(new Ajv2020.Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }), { mode: "full" });
		ajv.addVocabulary(["components"]);
		const found = find(document, check.pointer);
		compiled.set(key, ajv.compile({ ...(check.closed ? close(found) : found), components: document.components }));
	}
	return compiled.get(key);
}

const outcomes = checks.map((check) => {
	const validate = schema(check);
	return validate(check.value) ? [] : validate.errors.map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
});
const errors = typeof result.errors === "string" ? [result.errors] : (result.errors ?? []).map((error) => JSON.stringify(error));
process.stdout.write(JSON.stringify({ version: validator.version, errors: result.valid ? [] : errors.concat("not valid"), checks: outcomes }));
