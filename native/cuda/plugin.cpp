// The C ABI over a Store and Geometry. Nothing is thrown across it.
#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "cuda/geometry.h"
#include "cuda/store.h"

#if defined(_WIN32)
#define LINEAMENT_EXPORT __declspec(dllexport)
#else
#define LINEAMENT_EXPORT __attribute__((visibility("default")))
#endif

struct lineament_cuda_store {
  lineament::cuda::Store store;
};
struct lineament_cuda_geometry {
  std::shared_ptr<lineament::cuda::Geometry> geometry;
};
struct lineament_cuda_volume {
  lineament::cuda::Volume volume;
};

namespace lineament::cuda {
namespace {

int32_t tell(int32_t code, const char* message, lineament_cuda_error* error) {
  if (error == nullptr) return code;
  error->code = code;
  const size_t length = std::min(std::strlen(message), sizeof(error->message) - 1);
  std::memcpy(error->message, message, length);
  error->message[length] = '\0';
  return code;
}

template <typename F>
int32_t answer(lineament_cuda_error* error, F&& work) {
  try {
    const Failure failure = work();
    return tell(failure.code, failure.message.c_str(), error);
  } catch (const std::bad_alloc&) {
    return tell(LINEAMENT_CUDA_OUT_OF_MEMORY, "Out of memory of the host", error);
  } catch (const std::exception& unexpected) {
    return tell(LINEAMENT_CUDA_FAILED, unexpected.what(), error);
  }
}

int32_t probe_platform(lineament_cuda_platform* platform, lineament_cuda_error* error) {
  return answer(error, [&] {
    *platform = {};
    return probe(platform);
  });
}

int32_t describe_device(int32_t ordinal, lineament_cuda_device* device, lineament_cuda_error* error) {
  return answer(error, [&] {
    *device = {};
    return describe(ordinal, device);
  });
}

int32_t create(int32_t ordinal, uint32_t dims, uint32_t width, uint64_t most_bytes, lineament_cuda_store** store,
               lineament_cuda_error* error) {
  return answer(error, [&]() -> Failure {
    *store = nullptr;
    if (dims < 2 || dims > 4096 || width < dims || width > 4096 || width % 64 != 0) {
      return {LINEAMENT_CUDA_INVALID, "dims is from 2 to 4096, width a multiple of 64 from dims to 4096"};
    }
    std::unique_ptr<Device> device;
    Failure failure = open_device(ordinal, &device);
    if (!failure.failed()) *store = new lineament_cuda_store{{std::move(device), dims, width, most_bytes}};
    return failure;
  });
}

void destroy(lineament_cuda_store* store) { delete store; }

uint64_t bytes(lineament_cuda_store* store) { return store->store.bytes(); }

int32_t reserve(lineament_cuda_store* store, uint32_t slots, lineament_cuda_error* error) {
  return answer(error, [&] { return store->store.reserve(slots); });
}

int32_t write(lineament_cuda_store* store, const lineament_cuda_rows* rows, lineament_cuda_error* error) {
  return answer(error, [&] { return store->store.write(*rows); });
}

int32_t read(lineament_cuda_store* store, const uint32_t* slots, size_t count, float* vectors,
             lineament_cuda_error* error) {
  return answer(error, [&] { return store->store.read(slots, count, vectors); });
}

int32_t search(lineament_cuda_store* store, const lineament_cuda_search* search, lineament_cuda_hit* hits,
               uint32_t* counts, lineament_cuda_work* work, lineament_cuda_error* error) {
  return answer(error, [&] { return store->store.search(*search, hits, counts, work); });
}

int32_t open_geometry(int32_t ordinal, uint64_t most_bytes, lineament_cuda_geometry** geometry,
                      lineament_cuda_error* error) {
  return answer(error, [&] {
    *geometry = nullptr;
    std::unique_ptr<Device> device;
    Failure failure = open_device(ordinal, &device);
    if (failure.failed()) return failure;
    *geometry = new lineament_cuda_geometry{std::make_shared<Geometry>(std::move(device), most_bytes)};
    return failure;
  });
}

void close_geometry(lineament_cuda_geometry* geometry) { delete geometry; }

uint64_t geometry_bytes(lineament_cuda_geometry* geometry) { return geometry->geometry->bytes(); }

int32_t project(lineament_cuda_geometry* geometry, const lineament_cuda_projection* projection, float* points,
                float* normals, lineament_cuda_error* error) {
  return answer(error, [&] { return geometry->geometry->project(*projection, points, normals); });
}

int32_t smooth(lineament_cuda_geometry* geometry, const lineament_cuda_smoothing* smoothing, float* out,
               lineament_cuda_error* error) {
  return answer(error, [&] { return geometry->geometry->smooth(*smoothing, out); });
}

int32_t create_volume(lineament_cuda_geometry* geometry, uint32_t coloured, lineament_cuda_volume** volume,
                      lineament_cuda_error* error) {
  return answer(error, [&]() -> Failure {
    *volume = nullptr;
    *volume = new lineament_cuda_volume{{geometry->geometry, coloured != 0}};
    return {};
  });
}

void destroy_volume(lineament_cuda_volume* volume) { delete volume; }

int32_t grow_volume(lineament_cuda_volume* volume, size_t blocks, lineament_cuda_error* error) {
  return answer(error, [&] { return volume->volume.grow(blocks); });
}

int32_t fuse(lineament_cuda_volume* volume, const lineament_cuda_view* view, uint32_t* changed,
             lineament_cuda_error* error) {
  return answer(error, [&] { return volume->volume.fuse(*view, changed); });
}

int32_t read_volume(lineament_cuda_volume* volume, size_t first, size_t blocks, float* voxels, float* colours,
                    lineament_cuda_error* error) {
  return answer(error, [&] { return volume->volume.read(first, blocks, voxels, colours); });
}

constexpr lineament_cuda_functions kFunctions = {
    LINEAMENT_CUDA_ABI,
    sizeof(lineament_cuda_functions),
    sizeof(lineament_cuda_error),
    sizeof(lineament_cuda_platform),
    sizeof(lineament_cuda_device),
    sizeof(lineament_cuda_rows),
    sizeof(lineament_cuda_search),
    sizeof(lineament_cuda_hit),
    sizeof(lineament_cuda_projection),
    sizeof(lineament_cuda_smoothing),
    sizeof(lineament_cuda_sample),
    sizeof(lineament_cuda_view),
    probe_platform,
    describe_device,
    create,
    destroy,
    bytes,
    reserve,
    write,
    read,
    search,
    open_geometry,
    close_geometry,
    geometry_bytes,
    project,
    smooth,
    create_volume,
    destroy_volume,
    grow_volume,
    fuse,
    read_volume,
};

}  // namespace
}  // namespace lineament::cuda

extern "C" LINEAMENT_EXPORT const lineament_cuda_functions* lineament_cuda_table(void);
extern "C" LINEAMENT_EXPORT const lineament_cuda_functions* lineament_cuda_table(void) {
  return &lineament::cuda::kFunctions;
}
