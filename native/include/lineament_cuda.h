/* The C ABI between the addon and liblineament_cuda: exact search of coded vectors, and geometry, on a device.
 *
 * The library exports one function, lineament_cuda_table(). Whoever loads it looks at `abi` and `table_size` first
 * (these two stay where they are in every version) and uses the rest only where both, and the sizes of the structures,
 * are those of this header. No C++ and no CUDA type crosses, nothing is thrown, and every function that can fail fills
 * a lineament_cuda_error.
 *
 * Rows lie in numbered slots. What a row is made of is the caller's affair: a float vector, a signed 8-bit code for
 * each coordinate, and a bound. With a_i = code_i + 0.5 and a query's codes h_i, the caller vouches that
 *
 *   |<x, y> - row.scale * query.scale * <a, h>|  <=  row.error * query.length + query.error
 *
 * (native/search/codes.h derives such bounds). A row that this excludes is not looked at again; all others are scored
 * with the float vectors: products in double, term i added to sum i % 16, the 16 sums folded in halves.
 *
 * Geometry does what the processor does, by the same sources: cloud/project_body.h, depth/bilateral_body.h and
 * mesh/tsdf_body.h say what the numbers mean. Depth maps lie row by row, in millimetres along the optical axis, NaN
 * where nothing is known.
 */
#ifndef LINEAMENT_CUDA_H
#define LINEAMENT_CUDA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows with every change of what follows. */
#define LINEAMENT_CUDA_ABI 2u

enum lineament_cuda_code {
  LINEAMENT_CUDA_OK = 0,
  LINEAMENT_CUDA_INVALID = 1,       /* an argument that the caller should have caught */
  LINEAMENT_CUDA_ABORTED = 2,       /* `cancelled` said so */
  LINEAMENT_CUDA_OUT_OF_MEMORY = 3, /* of the host, the device, or the limit that was given; the store stays usable */
  LINEAMENT_CUDA_NO_DRIVER = 4,     /* none, or one that is too old for this library */
  LINEAMENT_CUDA_NO_DEVICE = 5,
  LINEAMENT_CUDA_FAILED = 6 /* the device reported a failure; make the store anew */
};

typedef struct lineament_cuda_error {
  int32_t code; /* a lineament_cuda_code */
  char message[252];
} lineament_cuda_error;

/* What there is. Versions: 1000 * major + 10 * minor, 0 where unknown. */
typedef struct lineament_cuda_platform {
  int32_t devices;
  int32_t driver_version;  /* highest CUDA version of the driver */
  int32_t runtime_version; /* that this library was built with */
  int32_t reference;       /* 1: the same algorithm on the processor, made for tests; there is no GPU behind it */
} lineament_cuda_platform;

typedef struct lineament_cuda_device {
  char name[128];
  int32_t major, minor; /* compute capability */
  int32_t multiprocessors;
  int32_t usable;       /* 0: this library has no code for it */
  uint64_t memory;      /* bytes */
  uint64_t free_memory; /* bytes, now */
} lineament_cuda_device;

typedef struct lineament_cuda_bound {
  float scale;
  float error; /* rounded up */
} lineament_cuda_bound;

/* How the codes of a query are judged; names as in the inequality above. */
typedef struct lineament_cuda_rule {
  float scale;
  float half_sum; /* half the sum of the query's codes */
  float length;   /* rounded up */
  float error;    /* rounded up, the rounding of the float arithmetic included */
} lineament_cuda_rule;

/* `count` rows to be written. codes: `width` each; coordinates from `dims` on do not count where the queries have 0. */
typedef struct lineament_cuda_rows {
  size_t count;
  const uint32_t* slots;
  const int64_t* keys;
  const float* vectors; /* dims each */
  const int8_t* codes;
  const lineament_cuda_bound* bounds;
} lineament_cuda_rows;

typedef struct lineament_cuda_hit {
  double score;
  int64_t key;
} lineament_cuda_hit;

typedef struct lineament_cuda_work {
  uint64_t rows;   /* pairs of row and query compared by codes */
  uint64_t scored; /* and exactly */
} lineament_cuda_work;

typedef struct lineament_cuda_search {
  size_t count;         /* queries */
  const float* vectors; /* dims each */
  const int8_t* codes;  /* width each */
  const lineament_cuda_rule* rules;
  uint32_t k;           /* most hits for a query, >= 1 */
  double threshold;     /* least score */
  uint32_t slots;       /* slots from here on are not looked at */
  const uint64_t* mask; /* bit s % 64 of word s / 64: slot s is looked at; (slots + 63) / 64 words */
  /* Asked between steps where not null; anything but 0 ends the search. */
  int32_t (*cancelled)(void* context);
  void* context;
} lineament_cuda_search;

/* A point, and a normal where `radius` is not 0, for each pixel of a depth map. */
typedef struct lineament_cuda_projection {
  uint32_t width, height;
  const float* depth;
  const float* confidence; /* null: 1 everywhere */
  float least_confidence;  /* pixels below it do not count */
  uint32_t radius;         /* of the window of normals in pixels, 0 ... 16 */
  double most_step;
  double inverse_fx, inverse_fy, cx, cy;
} lineament_cuda_projection;

/* The edge-preserving filter of a depth map. */
typedef struct lineament_cuda_smoothing {
  uint32_t width, height;
  const float* depth;
  uint32_t radius;      /* 1 ... 16 */
  const float* spatial; /* (2 * radius + 1)^2 weights */
  float inverse_range;  /* 1 / range^2 */
} lineament_cuda_smoothing;

/* A pixel of a depth map that is fused. */
typedef struct lineament_cuda_sample {
  float depth, weight, slope;
  uint32_t colour;
} lineament_cuda_sample;

/* A depth map, and how it is fused. */
typedef struct lineament_cuda_view {
  float rotation[9], translation[3]; /* X_camera = rotation * X_world + translation */
  float fx, fy, cx, cy;
  uint32_t width, height;
  const lineament_cuda_sample* samples;
  uint32_t coloured;
  float truncation, fade, carve, colour_band, max_weight;
  float voxel;         /* side of a voxel */
  const float* starts; /* for each block of the volume: its first voxel in the camera's frame, three numbers */
} lineament_cuda_view;

/* Geometry on one device, and a volume of blocks of 8 x 8 x 8 voxels that are fused there. Calls for one geometry and
 * its volumes take turns; any thread may make them. A volume keeps its geometry alive. */
typedef struct lineament_cuda_geometry lineament_cuda_geometry;
typedef struct lineament_cuda_volume lineament_cuda_volume;

/* Rows on one device. Calls for one store take turns; any thread may make them. */
typedef struct lineament_cuda_store lineament_cuda_store;

typedef struct lineament_cuda_functions {
  uint32_t abi;
  uint32_t table_size;
  uint32_t error_size, platform_size, device_size, rows_size, search_size, hit_size;
  uint32_t projection_size, smoothing_size, sample_size, view_size;

  /* The platform is filled as far as it is known, also where LINEAMENT_CUDA_NO_DRIVER or _NO_DEVICE is returned. */
  int32_t (*probe)(lineament_cuda_platform* platform, lineament_cuda_error* error);
  int32_t (*device)(int32_t ordinal, lineament_cuda_device* device, lineament_cuda_error* error);

  /* dims: 2 ... 4096. width: a multiple of 64, dims ... 4096. most_bytes: of device memory that the store may take, 0:
   * all there is. */
  int32_t (*create)(int32_t ordinal, uint32_t dims, uint32_t width, uint64_t most_bytes, lineament_cuda_store** store,
                    lineament_cuda_error* error);
  void (*destroy)(lineament_cuda_store* store);   /* null is allowed */
  uint64_t (*bytes)(lineament_cuda_store* store); /* of device memory */

  /* Memory for slots 0 ... slots - 1; what lies there stays. Nothing has changed where it fails. */
  int32_t (*reserve)(lineament_cuda_store* store, uint32_t slots, lineament_cuda_error* error);
  int32_t (*write)(lineament_cuda_store* store, const lineament_cuda_rows* rows, lineament_cuda_error* error);
  /* Vectors of `count` slots, dims floats each. */
  int32_t (*read)(lineament_cuda_store* store, const uint32_t* slots, size_t count, float* vectors,
                  lineament_cuda_error* error);
  /* hits: count * k, counts: count. Hits of query q begin at q * k, best first, equal scores by smaller key. `work` may
   * be null. */
  int32_t (*search)(lineament_cuda_store* store, const lineament_cuda_search* search, lineament_cuda_hit* hits,
                    uint32_t* counts, lineament_cuda_work* work, lineament_cuda_error* error);

  /* most_bytes: of device memory for everything that is done with it, 0: all there is. */
  int32_t (*open_geometry)(int32_t ordinal, uint64_t most_bytes, lineament_cuda_geometry** geometry,
                           lineament_cuda_error* error);
  void (*close_geometry)(lineament_cuda_geometry* geometry);     /* null is allowed */
  uint64_t (*geometry_bytes)(lineament_cuda_geometry* geometry); /* of device memory, its volumes included */
  /* points, and normals where the radius is not 0: 3 * width * height. Points of pixels that do not count are NaN,
   * normals where there is none 0 0 0. */
  int32_t (*project)(lineament_cuda_geometry* geometry, const lineament_cuda_projection* projection, float* points,
                     float* normals, lineament_cuda_error* error);
  /* out: width * height. */
  int32_t (*smooth)(lineament_cuda_geometry* geometry, const lineament_cuda_smoothing* smoothing, float* out,
                    lineament_cuda_error* error);
  int32_t (*create_volume)(lineament_cuda_geometry* geometry, uint32_t coloured, lineament_cuda_volume** volume,
                           lineament_cuda_error* error);
  void (*destroy_volume)(lineament_cuda_volume* volume); /* null is allowed */
  /* Adds blocks that nothing is known of. Nothing has changed where it fails. */
  int32_t (*grow_volume)(lineament_cuda_volume* volume, size_t blocks, lineament_cuda_error* error);
  /* changed: for each block how many of its voxels were. */
  int32_t (*fuse)(lineament_cuda_volume* volume, const lineament_cuda_view* view, uint32_t* changed,
                  lineament_cuda_error* error);
  /* voxels: 512 * 2 numbers for each block, distance and weight; colours: 512 * 4, or null. x runs fastest, then y. */
  int32_t (*read_volume)(lineament_cuda_volume* volume, size_t first, size_t blocks, float* voxels, float* colours,
                         lineament_cuda_error* error);
} lineament_cuda_functions;

#define LINEAMENT_CUDA_TABLE "lineament_cuda_table"
typedef const lineament_cuda_functions* (*lineament_cuda_table_function)(void);

#ifdef __cplusplus
}
#endif

#endif
