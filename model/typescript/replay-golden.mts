// Lets the generated client replay every golden exchange that names a client call, as
// golden/README.md describes it. Exits with 1 at the first one that ends otherwise.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import * as api from "app-framework-client";

type Json = Record<string, unknown>;

interface Exchange {
  operation: string;
  request: { method: string; path: string; headers: Record<string, string>; body?: string };
  response: { status: number; headers: Record<string, string>; json?: Json; text?: string };
  client?: { call: Json; outcome: string };
}

interface Recorded {
  message: IncomingMessage;
  body: string;
}

let answer: Exchange["response"];
let recorded: Recorded[] = [];

const server = createServer(async (message, response) => {
  recorded.push({ message, body: await text(message) });
  response.writeHead(answer.status, answer.headers);
  response.end(answer.json === undefined ? answer.text : JSON.stringify(answer.json));
});
await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));

const client = new api.AppFramework({
  endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "session" },
  maxAttempts: 1,
});

const calls: Record<string, (input: never) => Promise<{ $metadata?: unknown }>> = {
  GetAppToken: (input) => client.getAppToken(input),
  GetInstallationToken: (input) => client.getInstallationToken(input),
  RefreshCachedData: (input) => client.refreshCachedData(input),
  GetInstallationData: (input) => client.getInstallationData(input),
  GetInstallations: (input) => client.getInstallations(input),
};

/** The JSON that the client must have read to come to this result. */
function asJson(result: object): Json {
  const { $metadata, ...members } = result as Json;
  return JSON.parse(
    JSON.stringify(members, (_, value) =>
      // Date.toISOString always has milliseconds, the contract only where they are not zero.
      typeof value === "string" ? value.replace(/\.000Z$/, "Z") : value,
    ),
  );
}

function checkRequest(exchange: Exchange): void {
  assert.equal(recorded.length, 1, "requests sent");
  const { message, body } = recorded[0]!;
  assert.equal(message.method, exchange.request.method);
  assert.equal(message.url, exchange.request.path);
  for (const [name, value] of Object.entries(exchange.request.headers)) {
    assert.equal(message.headers[name], value, name);
  }
  assert.match(
    message.headers.authorization ?? "",
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/lambda\/aws4_request, /,
  );
  if (exchange.request.body === undefined) {
    assert.equal(body, "");
    assert.equal(message.headers["content-type"], undefined);
  } else {
    assert.deepEqual(JSON.parse(body), JSON.parse(exchange.request.body));
  }
}

function checkError(error: unknown, { response }: Exchange): void {
  const thrown = error as Json & { $metadata?: { httpStatusCode?: number } };
  const type = response.headers["x-amzn-errortype"];
  const modelled = (api as unknown as Record<string, new () => Error>)[type ?? ""];
  if (modelled !== undefined) {
    assert.ok(error instanceof modelled, `${error} is no ${type}`);
    for (const [member, value] of Object.entries(response.json ?? {})) {
      assert.deepEqual(thrown[member], value, member);
    }
  } else if (type !== undefined) {
    assert.equal(thrown.name, type);
  }
  if (response.json !== undefined) {
    assert.equal(thrown.$metadata?.httpStatusCode, response.status);
  }
}

const folder = process.argv[2]!;
const paths: string[] = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
let replayed = 0;
try {
  for (const path of paths) {
    const exchange: Exchange = JSON.parse(readFileSync(join(folder, path), "utf8"));
    if (exchange.client === undefined) {
      continue;
    }
    answer = exchange.response;
    recorded = [];
    try {
      const call = calls[exchange.operation]!(exchange.client.call as never);
      if (exchange.response.status === 200) {
        assert.deepEqual(asJson(await call), exchange.response.json);
      } else {
        checkError(await call.then(() => assert.fail("no error"), (error) => error), exchange);
      }
      checkRequest(exchange);
    } catch (error) {
      throw new Error(path, { cause: error });
    }
    replayed++;
  }
} finally {
  server.close();
}
assert.ok(replayed > 0, "no exchange names a client call");
console.log(`The generated client replayed ${replayed} golden exchanges.`);
