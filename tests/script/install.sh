#!/usr/bin/env bash
# Does what is installed run from where it is, and does systemd understand its unit? (CMakeLists.txt, script/roda.service.in)
# SPDX-License-Identifier: MIT
#
# install.sh <build folder>
set -euo pipefail
build="$1"
prefix="$(mktemp -d)"
trap 'rm -rf "$prefix"' EXIT

fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

cmake --install "$build" --prefix "$prefix" >/dev/null
roda="$prefix/bin/roda"
[ -x "$roda" ] || fail "no program"
for file in share/roda/web/index.html share/roda/web/lang/en.js share/doc/roda/roda.env lib/systemd/system/roda.service; do
  [ -f "$prefix/$file" ] || fail "no $file"
done

# It finds its page beside itself, and the example settings are right but for the key they ask for.
cd /
settings="$(env -i "$roda" --check)" || fail "--check says no"
page="$(sed -n 's/^WEB_DIR=//p' <<<"$settings")"
[ "$(realpath "$page")" = "$(realpath "$prefix/share/roda/web")" ] || fail "the page is sought in $page"
mapfile -t example < <(grep -E '^#?[A-Z_]+=' "$prefix/share/doc/roda/roda.env" | sed 's/^#//' | grep -vE '^(TLS_|BIND=127|PORT=3001|TURN_|JWT_)')
env -i JWT_SECRET=01234567890123456789012345678901 "${example[@]}" "$roda" --check >/dev/null || fail "an example setting is wrong"

unit="$prefix/lib/systemd/system/roda.service"
grep -q '@' <(sed 's/@system-service//; s/@privileged//' "$unit") && fail "something was not filled in"
command -v systemd-analyze >/dev/null || { echo "install: no systemd-analyze, the unit is not checked"; exit 0; }
sed -i "s|^ExecStart=.*|ExecStart=$roda|" "$unit" # the prefix of the build is not the one of this test
said="$(systemd-analyze verify --man=no "$unit" 2>&1)" || fail "$said"
[ -z "$(grep -F roda.service <<<"$said" || true)" ] || fail "$said"
