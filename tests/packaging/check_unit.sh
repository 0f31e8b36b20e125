#!/usr/bin/env bash
# check_unit.sh user|system UNIT.in FOLDER: `systemd-analyze verify` of the unit with the programs of FOLDER. It must have nothing to say, for it takes
# an option that it does not know for no error.
set -euo pipefail
kind=$1 unit=$2 programs=$3
command -v systemd-analyze >/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed "s|@FERRY_BINDIR@|$programs|" "$unit" >"$folder/ferryd.service"
said=$(XDG_RUNTIME_DIR="$folder" systemd-analyze verify "--$kind" --man=no --generators=no --recursive-errors=no "$folder/ferryd.service" 2>&1) || { echo "$said"; exit 1; }
if [ -n "$said" ]; then
  echo "$said"
  exit 1
fi
grep -qx 'KillMode=process' "$folder/ferryd.service" || { echo "jobs would end with the daemon: KillMode=process is missing"; exit 1; }
