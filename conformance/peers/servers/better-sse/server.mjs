// A server made with better-sse: a channel for each stream, and the options that it has by default. It says on standard output where it
// listens, and ends when it is interrupted or terminated.
import { webcrypto } from "node:crypto";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

globalThis.crypto ??= webcrypto; // better-sse takes it for granted, and Node has it from 20 on
const { createChannel, createSession } = await import("better-sse");

const { values: flags } = parseArgs({
	options: { host: { type: "string", default: "127.0.0.1" }, port: { type: "string", default: "8080" }, heartbeat: { type: "string", default: "5000" } },
});

const channels = new Map();

function channel(stream) {
	if (!channels.has(stream)) {
		channels.set(stream, createChannel());
	}
	return channels.get(stream);
}

async function subscribe(url, req, res) {
	const streams = url.searchParams.getAll("stream");
	if (streams.length === 0) {
		return answer(res, 400, "name a stream");
	}
	const session = await createSession(req, res, { keepAlive: Number(flags.heartbeat) });
	for (const stream of streams) {
		channel(stream).register(session);
	}
}

async function publish(url, req, res) {
	const chunks = [];
	for await (const chunk of req) {
		chunks.push(chunk);
	}
	channel(url.searchParams.get("stream") ?? "").broadcast(Buffer.concat(chunks).toString(), url.searchParams.get("type") || undefined);
	answer(res, 202, "");
}

function answer(res, status, text) {
	res.writeHead(status, { "Content-Type": "text/plain" }).end(text);
}

const routes = { "GET /events": subscribe, "POST /publish": publish };

// How long the head of a request may take is left to the program.
const server = createServer({ headersTimeout: 5000, connectionsCheckingInterval: 1000 }, (req, res) => {
	const url = new URL(req.url, "http://server");
	const route = routes[`${req.method} ${url.pathname}`];
	if (!route) {
		const elsewhere = Object.keys(routes).find((known) => known.endsWith(` ${url.pathname}`));
		return elsewhere ? res.writeHead(405, { Allow: elsewhere.split(" ")[0] }).end() : answer(res, 404, "not found");
	}
	route(url, req, res).catch((err) => {
		console.error(err);
		res.destroy();
	});
});

server.listen(Number(flags.port), flags.host, () => console.log(`http://${flags.host}:${server.address().port}`));
for (const signal of ["SIGINT", "SIGTERM"]) {
	process.once(signal, () => {
		server.close(() => process.exit(0));
		server.closeAllConnections();
	});
}
