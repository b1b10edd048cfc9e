#!/usr/bin/env bash
# Builds the plugin, its tests and its bench with nvcc and g++ alone, and runs them: for a machine that has a GPU and neither
# Node nor cmake.
#   native/cuda/check-device.sh [ARCH] [ROWS]      ARCH: such as 90a; that of the first device when absent. Exit status 0: all passed.
# With compute-sanitizer on the path, LINEAMENT_SANITIZER=memcheck (racecheck, synccheck, initcheck) runs the tests under it.
set -euo pipefail
cd "$(dirname "$0")/../.."
arch=${1:-$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)}
[ "$arch" = 90 ] && arch=90a
rows=${2:-1000000}
nvcc=$(command -v nvcc || echo "${CUDA_PATH:-/usr/local/cuda}/bin/nvcc")
out=out/cuda-check
mkdir -p "$out"
flags=(-std=c++20 -O3 -fno-math-errno -Wall -Wextra -fPIC -fvisibility=hidden -Inative)

compile() { # SOURCE [FLAGS...]
  g++ "${flags[@]}" "${@:2}" -c "$1" -o "$out/$(echo "$1" | tr / _).o" &
}
started=$SECONDS
"$nvcc" -std=c++20 -O3 -gencode="arch=compute_$arch,code=sm_$arch" -Xcompiler=-fPIC,-fvisibility=hidden -Inative \
  -c native/cuda/device_cuda.cu -o "$out/device_cuda.o" &
"$nvcc" -std=c++20 -O3 --fmad=false -gencode="arch=compute_$arch,code=sm_$arch" -Xcompiler=-fPIC,-fvisibility=hidden \
  -Inative -c native/cuda/geometry_cuda.cu -o "$out/geometry_cuda.o" &
for source in native/cuda/{geometry,plugin,store,store_search,device_reference}.cpp native/core/*.cpp \
  native/inference/{dynamic_library,library_file}.cpp; do
  compile "$source"
done
x86=(-march=x86-64-v2)
case $(uname -m) in x86_64) ;; *) x86=() ;; esac
for source in native/{search,cloud,device}/*.cpp native/depth/bilateral*.cpp \
  native/mesh/{tsdf*,marching_cubes*,triangle_mesh}.cpp; do
  case "$source" in
    *_avx2.cpp) set -- -mavx2 -mfma -mf16c ;;
    *_avx512.cpp) set -- -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -Wno-uninitialized -Wno-maybe-uninitialized ;;
    *_vnni.cpp) set -- -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -Wno-uninitialized -Wno-maybe-uninitialized ;;
    *) set -- "${x86[@]}" ;;
  esac
  if [ "$(uname -m)" = x86_64 ] || [[ $source != *_avx* && $source != *_vnni* ]]; then compile "$source" "$@"; fi
done
for job in $(jobs -p); do wait "$job"; done
"$nvcc" -shared -cudart static -o "$out/liblineament_cuda.so" "$out/device_cuda.o" "$out/geometry_cuda.o" \
  "$out"/native_cuda_{geometry,plugin,store,store_search}.cpp.o -Xlinker --exclude-libs,ALL -Xlinker \
  --version-script=native/cuda/exports.map
g++ -shared -o "$out/liblineament_cuda_reference.so" "$out"/native_cuda_{geometry,plugin,store,store_search,device_reference}.cpp.o
for source in native/tests/cuda/test_*.cpp native/bench/cuda_bench.cpp; do
  g++ "${flags[@]}" -DLINEAMENT_CUDA_REFERENCE="\"$PWD/$out/liblineament_cuda_reference.so\"" "$source" \
    "$out"/native_{core,search,inference,cloud,depth,mesh,device}_*.o -lpthread -ldl -o "$out/$(basename "$source" .cpp)" &
done
for job in $(jobs -p); do wait "$job"; done
echo "built in $((SECONDS - started)) s for sm_$arch"

export LINEAMENT_CUDA=$PWD/$out/liblineament_cuda.so
failed=0
for test in "$out"/test_*[a-z]; do
  if [ -n "${LINEAMENT_SANITIZER:-}" ]; then
    compute-sanitizer --tool "$LINEAMENT_SANITIZER" --error-exitcode 1 "$test" on_device || failed=1
  else
    "$test" || failed=1
  fi
done
if [ -z "${LINEAMENT_SANITIZER:-}" ]; then "$out/cuda_bench" "$LINEAMENT_CUDA" "$rows" || failed=1; fi
exit $failed
