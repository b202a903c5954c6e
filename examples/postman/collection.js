// SPDX-FileCopyrightText: payops contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// node collection.js URL <openapi.json >collection.json: the Postman collection of a server's own description. Each request
// has the description's example; ids that an answer brings are kept in variables, and the paths of other requests name
// these; the folder "First hour" is a walk through them, in order, with what must come of it.
"use strict";

const { convertV2 } = require("openapi-to-postmanv2");

const OPTIONS = { folderStrategy: "Tags", parametersResolution: "Example", enableOptionalParameters: false };
const NO_ONE = "trans_0000000000000000000000000Z";

// A key is letters: many digits in a row could be taken for a card number.
const KEY_MADE = `pm.collectionVariables.set("key", "order-" + Array.from({ length: 12 },
	() => "bcdfghjkmn"[Math.floor(Math.random() * 10)]).join(""));`;

const IDS_KEPT = `const body = /json/.test(pm.response.headers.get("Content-Type") || "") ? pm.response.json() : {};
if (pm.response.code < 300 && pm.request.method === "POST")
	for (const name of NAMES)
		if (typeof body[name] === "string")
			pm.collectionVariables.set(name, body[name]);`;

const TAKEN = `pm.test("is taken", () => pm.expect(pm.response.code).to.be.below(300));`;

// request: its name in the description; query, set: what is asked besides; test: of the answer's `body`.
const WALK = [
	{ name: "Pay", request: "Take a payment", key: true, set: { customer_id: "cust_postman" },
	  test: `pm.expect([pm.response.code, body.status]).to.eql([201, "pending"]);` },
	{ name: "Pay again with the same key: the same payment", request: "Take a payment",
	  set: { customer_id: "cust_postman" }, key: true, again: true,
	  test: `pm.expect(pm.response.headers.get("Idempotency-Replayed")).to.equal("true");
pm.expect(body.transaction_id).to.equal(pm.collectionVariables.get("transaction_id"));` },
	{ name: "Wait for its outcome", request: "Show a payment", query: { wait: "20" },
	  test: `pm.expect([body.status, body.amount]).to.eql(["completed", 1000]);` },
	{ name: "Refund a part", request: "Refund a payment",
	  test: `pm.expect(body.amount).to.equal(250);` },
	{ name: "Look at the refund", request: "Show a refund",
	  test: `pm.expect(body.transaction_id).to.equal(pm.collectionVariables.get("transaction_id"));` },
	{ name: "List the customer's payments", request: "List a customer's payments",
	  variables: { customer_id: "cust_postman" },
	  test: `pm.expect(body.map(one => one.transaction_id)).to.include(pm.collectionVariables.get("transaction_id"));` },
	{ name: "Be refused: a dollar has two decimals", request: "Take a payment", set: { amount: "1.001" },
	  test: `pm.expect([pm.response.code, body.code, body.errors[0].field]).to.eql([422, "validation_failed", "amount"]);` },
	{ name: "Be refused: nobody made this payment", request: "Show a payment", variables: { transaction_id: NO_ONE },
	  test: `pm.expect([pm.response.code, body.code]).to.eql([404, "not_found"]);` },
];

function script(listen, text) {
	return { listen, script: { type: "text/javascript", exec: text.split("\n") } };
}

// Ids come from answers, and what needs a key of its own has one that is the same when it is sent again.
function connect(item, names) {
	for (const variable of item.request.url.variable || []) {
		names.set(variable.key, variable.value);
		variable.value = `{{${variable.key}}}`;
	}
	for (const header of item.request.header)
		if (header.key === "Idempotency-Key" && !header.disabled)
			header.value = `${item.name.toLowerCase().replace(/[^a-z]+/g, "-")}-{{transaction_id}}`;
	item.response = []; // the description has them, and is a tenth of their size
}

function step(row, found) {
	const item = structuredClone(found.get(row.request));
	const { request } = item;

	item.name = row.name;
	delete item.id;
	if (row.set)
		request.body.raw = JSON.stringify({ ...JSON.parse(request.body.raw), ...row.set }, null, 2);
	for (const query of request.url.query || [])
		if (row.query && query.key in row.query)
			Object.assign(query, { disabled: false, value: row.query[query.key] });
	for (const variable of request.url.variable || [])
		variable.value = (row.variables || {})[variable.key] || variable.value;
	for (const header of request.header)
		if (row.key && header.key === "Idempotency-Key")
			Object.assign(header, { disabled: false, value: "{{key}}" });
	item.event = [script("test", `const body = pm.response.json();\npm.test(${JSON.stringify(row.name)}, () => {\n${row.test}\n});`)];
	if (row.key && !row.again)
		item.event.push(script("prerequest", KEY_MADE));
	return item;
}

function finish(collection, url) {
	const items = collection.item.flatMap(folder => folder.item);
	const names = new Map();

	items.forEach(item => connect(item, names));
	const found = new Map(items.map(item => [item.name, item]));
	for (const row of WALK)
		if (!found.has(row.request))
			throw new Error(`the description has no request "${row.request}"`);
	collection.item.forEach(folder => { folder.event = [script("test", TAKEN)]; });
	collection.item.unshift({ name: "First hour", description: "Send these one after the other.",
				  item: WALK.map(row => step(row, found)) });
	collection.event = [script("test", IDS_KEPT.replace("NAMES", JSON.stringify([...names.keys()])))];
	collection.variable = [{ key: "baseUrl", value: url }, { key: "bearerToken", value: "" },
			       ...[...names].map(([key, value]) => ({ key, value }))];
	return collection;
}

function main(url) {
	const data = require("fs").readFileSync(0, "utf8");

	if (!url)
		throw new Error("usage: collection.js URL <openapi.json");
	convertV2({ type: "string", data }, OPTIONS, (error, answer) => {
		if (error || !answer.result)
			throw error || new Error(answer.reason);
		process.stdout.write(JSON.stringify(finish(answer.output[0].data, url), null, 2) + "\n");
	});
}

main(process.argv[2]);
