#!/usr/bin/env bash
# Generates the TypeScript client from the model with Smithy's published code generator, compiles it
# and lets it replay the golden exchanges. With CREDENTIAL_MANAGER_ENDPOINT set, it then calls that
# server too; live.mts says what else the environment must hold.
#
# Needs a JDK, Node 20 or later, and the registries of Maven and npm. Everything generated goes to
# model/target/typescript.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$here/../.."
work="$here/../target/typescript"
client="$work/smithy/source/typescript-client-codegen"

rm -rf "$work/smithy" "$work/out"
mkdir -p "$work"
"$root/mvnw" -q -f "$root/pom.xml" -pl model -am -Ptypescript process-classes

cp "$here/package.json" "$here/tsconfig.json" "$here"/*.mts "$work"
cd "$work"
npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error
PATH="$work/node_modules/.bin:$PATH"
tsc -p "$client/tsconfig.cjs.json"
tsc -p "$client/tsconfig.types.json"
tsc -p tsconfig.json

node out/replay-golden.mjs "$here/../src/main/resources/golden"
if [[ -n "${CREDENTIAL_MANAGER_ENDPOINT:-}" ]]; then
  node out/live.mjs
else
  echo "CREDENTIAL_MANAGER_ENDPOINT is not set: no server to call."
fi
