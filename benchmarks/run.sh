#!/usr/bin/env bash
# Measures everything and prints the figures of README.md. Needs Java 25 besides this project's Java.
#   benchmarks/run.sh [rounds of lookups, 5] [seconds for each cache around a refresh, 60]
set -euo pipefail
cd "$(dirname "$0")/.."

./mvnw -q -pl benchmarks -am package -DskipTests >&2

log=benchmarks/target/measurements.log
echo "JMH's own output: $log" >&2
"${JAVA_HOME:+$JAVA_HOME/bin/}java" \
  -XX:+EnableDynamicAgentLoading -Djdk.attach.allowAttachSelf=true -Djol.magicFieldOffset=true \
  -cp benchmarks/target/benchmarks.jar io.github.credentialmanager.benchmarks.Report \
  "$log" "${1:-5}" "${2:-60}"

infra/start-up >&2
cat infra/target/start-up.md
