#!/usr/bin/env bash
# Sees to it that there is a Chromium for the tests of the web page; says what is missing where it cannot.
set -euo pipefail
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "setup: installing chromium" >&2
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core fonts-liberation >/dev/null || true
fi
command -v chromium >/dev/null || echo "setup: no chromium; on Debian: sudo apt-get install chromium. The tests of the web page will be skipped, or fail where CI is set" >&2
