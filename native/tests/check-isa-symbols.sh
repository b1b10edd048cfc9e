#!/bin/sh
# Objects compiled for one instruction set must bring no weak, vague or unique symbols: the linker could keep their copy of
# an inline function, which other machines cannot run. Usage: check-isa-symbols.sh [OBJECT...]; without arguments it compiles
# the files that native/sources.json lists under "simd".
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# -eq 0 ]; then
  case $(uname -m) in x86_64) ;; *) echo "check-isa-symbols: nothing to check on $(uname -m)"; exit 0 ;; esac
  node -e '
    const simd = require("./native/sources.json").simd;
    for (const { sources, flags } of Object.values(simd)) for (const s of sources) console.log(s, ...flags);
  ' > "$work/list"
  n=0
  while read -r source flags; do
    n=$((n + 1))
    # As make understands them: CXX may be a program and what goes before it.
    # shellcheck disable=SC2086
    ${CXX:-c++} -std=c++20 -O3 -march=x86-64-v2 $flags -fvisibility=hidden -fno-math-errno -Inative -c "$source" -o "$work/$n.o"
    set -- "$@" "$work/$n.o"
  done < "$work/list"
fi
bad=0
for object in "$@"; do
  if nm -C "$object" | grep -E ' [WVu] '; then
    echo "check-isa-symbols: $object has the weak symbols above" >&2
    bad=1
  fi
done
[ $bad -eq 0 ] && echo "check-isa-symbols: $# objects clean"
exit $bad
