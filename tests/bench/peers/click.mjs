// The click in Fastify, as a good service of that world does it: a pool, a statement prepared by name, one round
// trip. MODE=single runs one statement a click; MODE=grouped lets all clicks that wait share the next one, as
// lib/click_group.c does. PROCESSES of them share a port.
import cluster from "node:cluster";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import Fastify from "fastify";
import pg from "pg";
import sodium from "sodium-native";

const { MODE = "single", PROCESSES = "1", POOL = "16", PORT, KEY, DATABASE, STATEMENT } = process.env;
const key = Buffer.from(KEY, "hex");
const text = readFileSync(STATEMENT, "utf8");
const CRAWLER = /bot\b|crawl|spider|preview|facebookexternalhit|whatsapp|slurp|embedly/i;
const FIXED = 8 + 16 + 8 + 8;
const GROUP_MAX = 256;

// The sealed link, or null. Its form: lib/join_link.h.
function openLink(token) {
  const sealed = Buffer.from(token, "base64url");
  if (sealed.length < 1 + 24 + FIXED + 1 + 16 || sealed[0] !== 1) return null;
  const plain = Buffer.allocUnsafe(sealed.length - 1 - 24 - 16);
  try {
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plain, null, sealed.subarray(25), sealed.subarray(0, 1),
      sealed.subarray(1, 25), key);
  } catch {
    return null;
  }
  return { id: plain.readBigInt64BE(0).toString(), linkId: plain.toString("hex", 8, 24),
    expires: plain.readBigInt64BE(32).toString(), url: plain.toString("utf8", FIXED) };
}

function query(clicks) {
  return { name: "click", text, rowMode: "array", values: [clicks.map((c) => c.id), clicks.map((c) => c.linkId),
    clicks.map((c) => c.expires), clicks.map((c) => c.verdict), clicks.map((c) => c.address),
    clicks.map((c) => c.agent), clicks.map(() => null), clicks.map(() => randomUUID())] };
}

function single(options) {
  const pool = new pg.Pool({ ...options, max: Number(POOL) });
  return async (click) => (await pool.query(query([click]))).rows[0];
}

function grouped(options) {
  const client = new pg.Client(options);
  const waiting = [];
  let busy = true;
  client.connect().then(() => { busy = false; next(); });
  async function next() {
    if (busy || !waiting.length) return;
    busy = true;
    const group = waiting.splice(0, GROUP_MAX);
    try {
      const { rows } = await client.query(query(group.map((w) => w.click)));
      for (const row of rows) group[Number(row[0]) - 1].resolve(row);
    } catch (error) {
      for (const w of group) w.reject(error);
    }
    busy = false;
    next();
  }
  return (click) => new Promise((resolve, reject) => {
    waiting.push({ click, resolve, reject });
    next();
  });
}

function serve() {
  const record = (MODE === "grouped" ? grouped : single)({
    host: DATABASE, user: "classclock_app", database: "classclock", options: "-c plan_cache_mode=force_generic_plan" });
  const app = Fastify({ trustProxy: "127.0.0.1" });
  app.get("/api/zoom/track", async (request, reply) => {
    const agent = request.headers["user-agent"] ?? null;
    const link = openLink(request.query.token ?? "");
    if (!link) return reply.code(404).type("text/plain").send("This is no link of ours.");
    const [, outcome, cancelled, expired, url] = await record({ ...link, address: request.ip,
      agent: agent?.slice(0, 300) ?? null, verdict: agent && CRAWLER.test(agent) ? "crawler" : null });
    if (cancelled || expired) return reply.code(410).type("text/plain").send(outcome);
    return reply.code(302).header("location", url ?? link.url).header("cache-control", "no-store")
      .header("referrer-policy", "no-referrer").send();
  });
  app.listen({ port: Number(PORT), host: "127.0.0.1", backlog: 4096 });
}

if (cluster.isPrimary && Number(PROCESSES) > 1) for (let i = 0; i < Number(PROCESSES); i++) cluster.fork();
else serve();
