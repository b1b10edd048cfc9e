// The inner loops of training, one table of function pointers per SIMD level. Every level gives the same bits.
// This header is read by the files compiled for one instruction set: C-like declarations only, nothing from the STL.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace lineament {

// Coordinates of a sample that lie together in memory: one cache line.
constexpr size_t kTrainLanes = 16;
// Most tests whose outcomes share one code, and most codes that add() takes at once.
constexpr size_t kTrainBits = 8;
constexpr size_t kTrainGroups = 8;

struct TrainKernels {
  // codes[i] |= bit & inside[i] where first[i] − second[i] >= least, for least in −255..256; inside[i] is 0 or 255.
  void (*test)(const uint8_t* first, const uint8_t* second, const uint8_t* inside, int least, uint8_t bit, size_t count,
               uint8_t* codes);
  // cells[g][words[g][i]] += rows[i] for each of `groups` and i = 0 … count − 1 in this order; a cell and a row are
  // kTrainLanes floats, aligned to 64 bytes.
  void (*add)(const float* rows, const uint16_t* const* words, float* const* cells, size_t groups, size_t count);
  // left[bit] = sum of the cells whose index, 0 … 2^bits − 1, has that bit; total = sum of all. Spoils the cells.
  void (*fold)(float* cells, size_t bits, float* left, float* total);
  // rows[i] −= leaves[words[i]].
  void (*subtract)(float* rows, const uint16_t* words, const float* leaves, size_t count);
};

extern const TrainKernels kTrainKernelsScalar;
void train_kernels_avx2(TrainKernels* table);
void train_kernels_neon(TrainKernels* table);

// The table for the level in use (core/cpu.h: active_simd()).
const TrainKernels& train_kernels();

}  // namespace lineament
