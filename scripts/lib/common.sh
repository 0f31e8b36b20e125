# Shared by the scripts: where things are, and how a step is said. Sourced, never run.
set -euo pipefail

ferry_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
ferry_cache=${FERRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ferry}
caf_prefix_file=$ferry_cache/caf-prefix          # one line: the prefix of the CAF to build with; empty: the system's own
demo_media=$ferry_cache/media                    # the photos and the clip of the demo

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Runs a command as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "'$1' needs root: run this as root or install sudo"
  fi
}

# Configures and builds the preset named first; further words are passed to `cmake --build`.
build_preset() {
  local preset=$1 prefix=
  shift
  local caf_file=$caf_prefix_file
  [ "$preset" = tsan ] && caf_file=$caf_prefix_file-tsan
  [ -f "$caf_file" ] && prefix=$(cat "$caf_file")
  export CCACHE_DIR=${CCACHE_DIR:-$ferry_cache/ccache}
  cmake --preset "$preset" -S "$ferry_root" ${prefix:+"-DCAF_ROOT=$prefix"} >"$ferry_cache/configure-$preset.log" 2>&1 \
    || { cat "$ferry_cache/configure-$preset.log" >&2; die "cmake --preset $preset failed"; }
  cmake --build "$ferry_root/build/$preset" "$@"
}
