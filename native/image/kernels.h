// The inner loops of image work, one table of function pointers per SIMD level.
// This header is read by the files compiled for one instruction set: C-like declarations only, nothing from the STL.
//
// "Pixel row" below: one resampled row as floats, either 4 floats per pixel (three colour channels in the order of the
// source and one lane whose content means nothing) or 1 float per pixel (grey).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace lineament {

// Where a colour row goes. Everything is indexed by SOURCE channel, so that kernels need no permutation of their own.
struct PackTarget {
  float scale[3];
  float offset[3];
  // Planar: start of the row in the plane that source channel s feeds. Packed: only packed is used.
  void* plane[3];
  void* packed;
  // Packed: position of source channel s within the output pixel.
  int position[3];
};

// One row of bilinear samples along an affine line, every 2x2 neighbourhood inside the image and 8 bytes readable from
// its left pixel in both rows. Positions are 32.32 fixed point of the top-left neighbour.
struct BilinearRow {
  const uint8_t* data;
  size_t stride;
  int pixel;  // bytes per pixel: 1, 3 or 4
  int64_t x, y;
  int64_t step_x, step_y;
  int count;
  float gain;      // factor on the sample, 1 for a plain average of one
  int accumulate;  // add to out instead of writing it
  float* out;      // pixel row: 4 floats per pixel, 1 where pixel == 1
};

enum class YuvKind { kPlanar, kSemiPlanar, kPacked };

// One row of 4:2:x pixels that starts at an even column.
struct YuvRow {
  YuvKind kind;
  const uint8_t* y;  // luma; the packed bytes for kPacked
  const uint8_t* u;  // U for kPlanar, interleaved UV for kSemiPlanar
  const uint8_t* v;  // V for kPlanar
  int count;
  int pixel;  // bytes per output pixel, 3 or 4 (the fourth is 255)
  int bgr;    // order of the output
  uint8_t* out;
};

// Sums over a row of luma; exact integers.
struct LumaSums {
  uint64_t sum, squares, under, over;
};
struct LaplacianSums {
  int64_t sum;
  uint64_t squares;
};

constexpr int kFixedTaps = 8;
constexpr int kUnderexposed = 10;
constexpr int kOverexposed = 245;

struct ImageKernels {
  // out[i] (+)= sum over k of weights[k] * rows[k][i]; taps >= 1.
  void (*vertical)(const uint8_t* const* rows, const float* weights, int taps, int accumulate, size_t count,
                   float* out);
  // Pixel row out: out[x] = sum over k of weights[x * taps + k] * row[start[x] + k * pixel], four lanes at a time;
  // pixel is 3 or 4. Reads up to start + taps * pixel + 1 floats of row; start is in floats.
  void (*horizontal)(const float* row, int pixel, const int32_t* start, const float* weights, int taps, int count,
                     float* out);
  // The same for one channel.
  void (*horizontal_gray)(const float* row, const int32_t* start, const float* weights, int taps, int count,
                          float* out);
  // The two passes once more in 16-bit numbers, for at most kFixedTaps taps each and colour pixels; null where a level
  // has none. Values are in 1/128 levels. weights[k] is in 1/32768, 32768 allowed for a single tap only.
  void (*vertical16)(const uint8_t* const* rows, const int32_t* weights, int taps, size_t count, int16_t* out);
  // Weights in 1/16384, two taps in one number (the first in the low half): weights[k * weight_stride + x] holds taps
  // 2k and 2k + 1. start and weights are readable for count rounded up to 8; row has 8 + 2 * pixel * pairs numbers to
  // spare.
  void (*horizontal16)(const int16_t* row, int pixel, const int32_t* start, const int32_t* weights, int weight_stride,
                       int pairs, int count, float* out);
  // The same straight into planes.
  void (*horizontal16_planar_f32)(const int16_t* row, int pixel, const int32_t* start, const int32_t* weights,
                                  int weight_stride, int pairs, int count, const PackTarget& target);
  void (*bilinear)(const BilinearRow& job);
  // The same straight into the tensor, for colour and job.gain 1: as many of the first job.count pixels as come in
  // eights; gives their number. The second is for scale 1 and offset 0. Null where a level has none.
  int (*bilinear_planar_f32)(const BilinearRow& job, const PackTarget& target);
  int (*bilinear_packed_u8)(const BilinearRow& job, const PackTarget& target);
  // Grey pixel row from a colour pixel row: weights by source channel.
  void (*luma)(const float* pixels, const float* weights, int count, float* out);
  void (*pack_planar_f32)(const float* pixels, int count, const PackTarget& target);
  void (*pack_packed_f32)(const float* pixels, int count, const PackTarget& target);
  void (*pack_planar_u8)(const float* pixels, int count, const PackTarget& target);
  void (*pack_packed_u8)(const float* pixels, int count, const PackTarget& target);
  // Grey pixel row to one plane.
  void (*pack_gray_f32)(const float* pixels, int count, float scale, float offset, float* out);
  void (*pack_gray_u8)(const float* pixels, int count, float scale, float offset, uint8_t* out);
  // YUV (BT.601, limited range) to RGB/BGR, chroma repeated over its 2x2 (2x1) block.
  void (*yuv)(const YuvRow& job);
  // Luma of a YUV row expanded to the full range; `step` is 1, or 2 for packed 4:2:2.
  void (*expand_luma)(const uint8_t* y, int step, int count, uint8_t* out);
  // Interleaved 8-bit pixels to interleaved 8-bit pixels. from[c] is the input channel of output channel c, or -1 for
  // 255.
  void (*shuffle)(const uint8_t* in, int in_pixel, uint8_t* out, int out_pixel, const int* from, int count);
  // Grey, (4899 R + 9617 G + 1868 B + 8192) >> 14; red and blue are the positions of those channels (0 or 2).
  void (*gray)(const uint8_t* in, int in_pixel, int red, int count, uint8_t* out);
  void (*luma_sums)(const uint8_t* row, int count, LumaSums* sums);
  // 4-neighbour Laplacian at the `count` pixels row[1] … row[count].
  void (*laplacian_sums)(const uint8_t* above, const uint8_t* row, const uint8_t* below, int count,
                         LaplacianSums* sums);
};

// Each file fills the table it knows; the entries that a level does not improve are the scalar ones.
extern const ImageKernels kImageKernelsScalar;
void image_kernels_avx2(ImageKernels* table);
void image_kernels_neon(ImageKernels* table);

// The table for the level in use (core/cpu.h: active_simd()), or the one forced by force_image_simd(). AVX-512 machines
// use the AVX2 kernels: these loops wait for memory, and wider registers would gain nothing.
const ImageKernels& image_kernels();

}  // namespace lineament
