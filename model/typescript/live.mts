// Calls a running server with the generated client and exits with 1 at the first answer that is not
// what the contract says. The environment holds
//
//   CREDENTIAL_MANAGER_ENDPOINT   the base URL of the five operations
//   AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   APP_ID, NODE_ID               an App and an account it is installed on
//   THROTTLED_NODE_ID             optional: an account whose tokens GitHub throttles

import assert from "node:assert/strict";

import {
  AppFramework,
  ClientSideError,
  ThrottlingException,
  ValidationException,
} from "app-framework-client";

function environment(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

async function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => assert.fail("no error"),
    (error: unknown) => error,
  );
}

async function step(what: string, check: () => Promise<void>): Promise<void> {
  await check();
  console.log(`ok  ${what}`);
}

const endpoint = environment("CREDENTIAL_MANAGER_ENDPOINT");
const appId = Number(environment("APP_ID"));
const nodeId = environment("NODE_ID");
const client = new AppFramework({ endpoint, maxAttempts: 1 });

await step("an App token", async () => {
  const result = await client.getAppToken({ appId });
  assert.equal(result.appId, appId);
  const [header, claims, signature] = result.appToken!.split(".");
  assert.ok(signature);
  const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  assert.equal(decode(header!).alg, "RS256");
  assert.equal(String(decode(claims!).iss), String(appId));
  assert.equal(result.expirationTime!.getTime(), (decode(claims!).exp - 10) * 1000);
});

await step("an installation token for everything", async () => {
  const result = await client.getInstallationToken({ appId, nodeId });
  assert.equal(result.appId, appId);
  assert.equal(result.nodeId, nodeId);
  assert.ok(result.installationToken);
  assert.ok(result.expirationTime!.getTime() > Date.now());
  assert.equal(result.requestedScopeDown, undefined);
  assert.ok(result.actualScopeDown?.permissions);
});

await step("an installation token for less", async () => {
  const scopeDown = { permissions: { metadata: "read" } };
  const result = await client.getInstallationToken({ appId, nodeId, scopeDown });
  assert.ok(result.installationToken);
  assert.deepEqual(result.requestedScopeDown, scopeDown);
  assert.deepEqual(result.actualScopeDown?.permissions, scopeDown.permissions);
});

await step("ClientSideError for an App that is not registered", async () => {
  const error = await rejection(client.getAppToken({ appId: 999_999_999 }));
  assert.ok(error instanceof ClientSideError, String(error));
  assert.equal(error.$metadata.httpStatusCode, 400);
  assert.equal(error.reason, "APP_NOT_REGISTERED");
  assert.ok(error.requestId);
  assert.match(error.message, /^Invalid Request: Error: Item not found/);
});

await step("ClientSideError for an account without the App", async () => {
  const error = await rejection(client.getInstallationToken({ appId, nodeId: "O_unknown" }));
  assert.ok(error instanceof ClientSideError, String(error));
  assert.equal(error.reason, "INSTALLATION_NOT_FOUND");
});

await step("ValidationException with one entry for each violation", async () => {
  const error = await rejection(client.getInstallationToken({ appId: 0, nodeId: "" }));
  assert.ok(error instanceof ValidationException, String(error));
  assert.deepEqual(
    error.fieldList?.map((field) => field.path),
    ["/appId", "/nodeId"],
  );
  assert.match(error.message, /^2 validation errors at 2 paths detected\. /);
});

await step("403 for a signature made with another secret", async () => {
  const stranger = new AppFramework({
    endpoint,
    maxAttempts: 1,
    credentials: {
      accessKeyId: environment("AWS_ACCESS_KEY_ID"),
      secretAccessKey: "another",
      ...(process.env.AWS_SESSION_TOKEN && { sessionToken: process.env.AWS_SESSION_TOKEN }),
    },
  });
  const error = await rejection(stranger.getAppToken({ appId }));
  assert.equal(
    (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode,
    403,
    String(error),
  );
});

const throttled = process.env.THROTTLED_NODE_ID;
if (throttled) {
  await step("ThrottlingException with the time to wait", async () => {
    const error = await rejection(client.getInstallationToken({ appId, nodeId: throttled }));
    assert.ok(error instanceof ThrottlingException, String(error));
    assert.equal(error.$metadata.httpStatusCode, 429);
    assert.equal(error.reason, "THROTTLED");
    assert.ok(error.retryAfterSeconds! > 0);
  });
}
