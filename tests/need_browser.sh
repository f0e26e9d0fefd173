#!/bin/sh
# Browser tests drive the system's Chromium or Chrome. Root without one gets Debian's; others are told.
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "» installing Debian's Chromium for the browser tests"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        chromium fonts-noto-core >/dev/null
    exit $?
fi
echo "» no Chromium or Chrome here: the browser tests will be skipped (install one to run them)"
