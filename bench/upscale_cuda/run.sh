#!/usr/bin/env bash
# On a machine with an NVIDIA GPU, in one go: builds, tests (also under compute-sanitizer where that is installed), measures torch on the same GPU where it
# is there, and prints the tables. All that is printed also lies in --out.
#
#   bench/upscale_cuda/run.sh [--programs DIR] [--models DIR] [--out DIR] [--python PYTHON] [--quick] [-- options of bench-upscale-cuda]
#
# --programs: test_upscale_cuda and bench-upscale-cuda, built elsewhere (they need no more than a C++ run-time library and a driver)
# --models:   esrgan-slim, -medium, -thick; else where ferry keeps them. Without a package: random weights, and no test of that network
# --quick:    tests without compute-sanitizer, thick ×4 alone, few sizes
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
programs='' models='' out='' python=python3 quick=0
while [ $# -gt 0 ]; do
  case $1 in
  --programs) programs=$2; shift 2 ;;
  --models) models=$2; shift 2 ;;
  --out) out=$2; shift 2 ;;
  --python) python=$2; shift 2 ;;
  --quick) quick=1; shift ;;
  --) shift; break ;;
  *) sed -n '2,/^set/{/^#/p}' "$0"; exit 2 ;;
  esac
done
out=${out:-$(mktemp -d)}
mkdir -p "$out"
[ -n "$models" ] && export FERRY_MODELS=$models
failed=0
say() { printf '\n==> %s\n' "$*"; }

if [ -z "$programs" ]; then
  say "building (preset release, with tests)"
  source "$root/scripts/lib/common.sh"
  set +e
  prefix=$(cat "$caf_prefix_file" 2>/dev/null)
  build=$root/build/upscale_cuda
  cmake --preset release -S "$root" -B "$build" -DFERRY_CUDA=ON -DFERRY_BUILD_TESTS=ON -DFERRY_BUILD_BENCH=ON ${prefix:+"-DCAF_ROOT=$prefix"} &&
    cmake --build "$build" --target test_upscale_cuda bench-upscale-cuda || exit 1
  programs=$build/bin
fi

say "tests"
"$programs/test_upscale_cuda" 'device:*' --reporter console -s >"$out/tests.log" 2>&1 || failed=1
grep -E ' on .*: .* of 255' "$out/tests.log" | sort -u
tail -n 4 "$out/tests.log"

if [ $quick -eq 0 ]; then
  if command -v compute-sanitizer >/dev/null; then
    # Few tests, for it slows kernels down by a factor of 10 to 100.
    for tool in memcheck racecheck initcheck synccheck; do
      say "compute-sanitizer, $tool"
      compute-sanitizer --tool $tool --error-exitcode 9 "$programs/test_upscale_cuda" \
        'device: what every precision*,device: many tiles*,device: tiles of many sizes*,device: the caller stops*' >"$out/$tool.log" 2>&1 || failed=1
      grep -E '^=========' "$out/$tool.log" | tail -n 5
    done
  else
    say "compute-sanitizer is not installed: left out"
  fi
fi

torch=()
shapes=()
[ $quick -eq 1 ] && shapes=(--networks thick:4 --sides 128,256 --batches 1,4,16,32)
if "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  say "torch on the same GPU"
  "$python" "$root/bench/upscale_cuda/torch_peer.py" "${shapes[@]}" --seconds "${TORCH_SECONDS:-1500}" >"$out/torch.csv" 2>"$out/torch.log" || failed=1
  tail -n 3 "$out/torch.log"
  torch=(--torch "$out/torch.csv")
else
  say "torch with CUDA is not there: left out"
fi

say "tables"
"$programs/bench-upscale-cuda" "${shapes[@]}" "${torch[@]}" "$@" | tee "$out/tables.md"
[ "${PIPESTATUS[0]}" -eq 0 ] || failed=1
say "everything printed lies in $out"
exit $failed
