#!/usr/bin/env bash
# Installs, on Debian and as root, the real parts and oracles that the suites beyond `npm test` compare with. Elsewhere it says
# so and leaves: those suites are then reported as skipped, by name.
set -u
# Milvus Lite speaks Milvus's protocol; into a folder of the checkout, where tests/storage/milvus.test.ts looks for it.
milvus="$(dirname "$0")/../out/oracles/milvus-lite"
if [ ! -x "$milvus/bin/milvus-lite" ] && command -v python3 >/dev/null; then
  pip=("$milvus/bin/pip" install --quiet --disable-pip-version-check milvus-lite==3.2.2 pymilvus==3.0.2)
  if ! { python3 -m venv "$milvus" && "${pip[@]}"; } >/dev/null 2>&1; then
    rm -rf "$milvus"
    echo "install-oracles: could not install milvus-lite"
  fi
fi
# Independent readers of mesh files, and measures of surfaces.
meshes="$(dirname "$0")/../out/oracles/meshes"
if ! "$meshes/bin/python" -c "import rtree, scipy" 2>/dev/null && command -v python3 >/dev/null; then
  if ! { python3 -m venv "$meshes" && "$meshes/bin/pip" install --quiet --disable-pip-version-check numpy trimesh==5.2.0 meshio==5.3.5 scipy==1.17.1 rtree==1.4.1; } \
    >/dev/null 2>&1; then
    rm -rf "$meshes"
    echo "install-oracles: could not install trimesh and meshio"
  fi
fi
# Makes requests of its own from the service's OpenAPI document, and holds the answers against it.
schemathesis="$(dirname "$0")/../out/oracles/schemathesis"
if [ ! -x "$schemathesis/bin/schemathesis" ] && command -v python3 >/dev/null; then
  if ! { python3 -m venv "$schemathesis" && "$schemathesis/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5; } \
    >/dev/null 2>&1; then
    rm -rf "$schemathesis"
    echo "install-oracles: could not install schemathesis"
  fi
fi
packages=(
  clang-14 libclang-rt-14-dev   # libFuzzer, a second compiler
  clang-format-14               # formatting of native code
  libopencv-dev                 # peer of the image kernels
  libdlib-dev libdlib-data      # peer of the shape predictor and its 68-point model
  chromium                      # opens the HTML report and the 3D viewer
  libopen3d-dev                 # oracle of clouds and surfaces, and what lineament_open3d offers
  ffmpeg                        # videos, streams and clips
  qemu-user g++-aarch64-linux-gnu libc6-dev-arm64-cross  # other processors
  qemu-system-x86 busybox-static cpio kmod  # a guest with the kernel's virtual camera (scripts/vivid.mjs)
)
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "install-oracles: needs Debian's apt-get and root; leaving the machine as it is"
  exit 0
fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
export DEBIAN_FRONTEND=noninteractive
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    echo "install-oracles: could not install ${missing[*]}"
fi
# The kernel of that guest, only unpacked: nothing boots from it but the guest.
vivid="$(cd "$(dirname "$0")/.." && pwd)/out/oracles/vivid"
if [ "$(dpkg --print-architecture)" = amd64 ] && ! ls "$vivid"/kernel/boot/vmlinuz-* >/dev/null 2>&1; then
  mkdir -p "$vivid"
  # The metapackage depends on the newest one; apt downloads as an unprivileged user where it can.
  image="$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: //p' | head -1)"
  if ! { cd "$vivid" && apt-get update -qq && apt-get download -qq "$image" && dpkg-deb -x "$image"_*.deb kernel && rm -f "$image"_*.deb; } \
    >/dev/null 2>&1; then
    rm -rf "$vivid/kernel" "$vivid"/linux-image-*.deb
    echo "install-oracles: could not unpack a kernel"
  fi
fi
exit 0
