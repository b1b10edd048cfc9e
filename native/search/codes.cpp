#include "search/codes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lineament {
namespace {

constexpr int kRounds = 2;
// Longest step of the upper four bits, in standard deviations of a coordinate. 0.335 would leave the least at four bits
// (uniform quantiser, 16 levels, normal distribution: J. Max, Quantizing for minimum distortion, 1960) but cuts off
// tails that eight bits could have kept.
constexpr double kCoarseStep = 0.40;
constexpr double kLengthTolerance = 1.001;
// Sums of at most 4 096 products of double: the error of the squared length of a rest, whose terms add up to at most 4.
constexpr double kSquareSlack = 4e-12;
// Float arithmetic of KeepRule on values of at most about 1.
constexpr double kKernelSlack = 2e-6;

float round_up(double value) { return std::nextafter(static_cast<float>(value), INFINITY); }

// In place, without the factor 1 / √count. count: a power of two.
void hadamard(float* values, size_t count) {
  for (size_t half = 1; half < count; half *= 2) {
    for (size_t begin = 0; begin < count; begin += 2 * half) {
      float* a = values + begin;
      float* b = a + half;
      for (size_t i = 0; i < half; ++i) {
        const float sum = a[i] + b[i];
        b[i] = a[i] - b[i];
        a[i] = sum;
      }
    }
  }
}

// xorshift32 (G. Marsaglia, Xorshift RNGs, 2003): the same signs for ever.
uint32_t next_random(uint32_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

}  // namespace

VectorCoder::VectorCoder(size_t dims)
    : dims_(dims), stride_(plane_stride(dims)), power_(1), signs_(kRounds * ((dims + 31) / 32)) {
  while (power_ * 2 <= dims) power_ *= 2;
  uint32_t state = 0x9e3779b9u ^ static_cast<uint32_t>(dims);
  for (uint32_t& word : signs_) word = next_random(&state);
}

// Each round turns signs by a fixed random pattern and applies a Walsh–Hadamard transform of the largest power of two
// to the first coordinates and, where that is not all of them, to the last ones, moving everything round by half in
// between. All of these are orthogonal. (Subsampled randomised Hadamard transforms: N. Ailon, B. Chazelle, The fast
// Johnson–Lindenstrauss transform, 2009.) Error: each butterfly gives fl(a ± b) = (a ± b)(1 + δ), |δ| ≤ u = 2^-24, so a
// stage adds an error of at most u times the length of its output; with the factor 1/√p (rounded, and rounded once more
// when applied) a transform of 2^m coordinates adds at most (m + 2)·u, to first order. The worst case (dims 4095: four
// transforms with m = 11) is 52·u < 3.2e-6, and kRotationError allows for nearly twice that.
void VectorCoder::rotate(const float* vector, float* out) const {
  const size_t words = (dims_ + 31) / 32;
  const float factor = static_cast<float>(1 / std::sqrt(static_cast<double>(power_)));
  std::memcpy(out, vector, dims_ * sizeof(float));
  for (int round = 0; round < kRounds; ++round) {
    const uint32_t* signs = signs_.data() + static_cast<size_t>(round) * words;
    for (size_t i = 0; i < dims_; ++i) out[i] = (signs[i / 32] >> (i % 32) & 1) != 0 ? -out[i] : out[i];
    hadamard(out, power_);
    for (size_t i = 0; i < power_; ++i) out[i] *= factor;
    if (power_ == dims_) continue;
    float* last = out + (dims_ - power_);
    hadamard(last, power_);
    for (size_t i = 0; i < power_; ++i) last[i] *= factor;
    if (round + 1 < kRounds) std::rotate(out, out + dims_ / 2, out + dims_);
  }
  std::fill(out + dims_, out + 2 * stride_, 0.0f);
}

// Derivation of the bounds. Let u be the computed rotation of x, a the centred code of some bits, s a float near the
// least-squares factor ⟨u, a⟩ / ⟨a, a⟩, and e = Rx − s·a. Then |e| ≤ |u − s·a| + |Rx − u| ≤ |u − s·a| +
// kRotationError·|x|, where |u − s·a|² = |u|² − 2s⟨u, a⟩ + s²⟨a, a⟩ is computed in double (its error: kSquareSlack). R
// keeps inner products, so by Cauchy–Schwarz  |⟨x, y⟩ − s⟨a, Ry⟩| = |⟨e, Ry⟩| ≤ |e|·|y|.
//
// A query is coded in turn: v is its computed rotation, v = t·h + f with integers h. The kernels compute s·t·⟨a, h⟩,
// and
//   |s⟨a, Ry⟩ − s·t⟨a, h⟩| ≤ |s·a|·(|f| + |Ry − v|) ≤ |s·a|·(|f| + kRotationError·|y|),
// where |s·a| ≤ |u|(1 + ε), since a least-squares approximation is no longer than what it approximates. Together
//   |⟨x, y⟩ − s·t⟨a, h⟩| ≤ coarse.error·query.length + query.error.
//
// Where the fine code itself is the vector (CodeTruth::kFineCode), the wanted value is s₈⟨a₈, v⟩ and the coarser codes'
// rest is s₈·a₈ − s·a, computed likewise; |v| ≤ (1 + kRotationError)·|y|.
void VectorCoder::encode(const float* unit, CodeTruth truth, uint8_t* high, uint8_t* low, CodeBound* coarse,
                         CodeBound* middle, CodeBound* fine, float* scratch) const {
  rotate(unit, scratch);
  double square = 0;
  float largest = 0;
  for (size_t i = 0; i < dims_; ++i) {
    square += static_cast<double>(scratch[i]) * scratch[i];
    largest = std::max(largest, std::fabs(scratch[i]));
  }
  const double deviation = std::sqrt(square / static_cast<double>(dims_));
  const float step = static_cast<float>(std::min(largest / 127.5, kCoarseStep / 16 * deviation));
  const float factor = 1 / step;

  // Twice the centred codes are odd integers; their sums are exact.
  constexpr int kShifts[3] = {4, 3, 0};
  double along[3] = {};       // ⟨u, 2a⟩
  int64_t lengths[3] = {};    // ⟨2a, 2a⟩
  int64_t with_fine[3] = {};  // ⟨2a, 2a₈⟩
  std::memset(high, 0, stride_);
  std::memset(low, 0, stride_);
  for (size_t i = 0; i < dims_; ++i) {
    const float at = std::floor(scratch[i] * factor) + 128.0f;
    const int code = static_cast<int>(std::min(std::max(at, 0.0f), 255.0f));
    const int fine_code = 2 * code - 255;
    for (int p = 0; p < 3; ++p) {
      const int centred = 2 * (code >> kShifts[p]) - ((256 >> kShifts[p]) - 1);
      along[p] += static_cast<double>(scratch[i]) * centred;
      lengths[p] += centred * centred;
      with_fine[p] += centred * fine_code;
    }
    const size_t byte = i < stride_ ? i : i - stride_;
    const int shift = i < stride_ ? 0 : 4;
    high[byte] = static_cast<uint8_t>(high[byte] | (code >> 4) << shift);
    low[byte] = static_cast<uint8_t>(low[byte] | (code & 15) << shift);
  }

  CodeBound* const bounds[3] = {coarse, middle, fine};
  for (int p = 0; p < 3; ++p) bounds[p]->scale = static_cast<float>(2 * along[p] / static_cast<double>(lengths[p]));
  const double s8 = fine->scale;
  for (int p = 0; p < 3; ++p) {
    const double s = bounds[p]->scale;
    const double own = s * s * static_cast<double>(lengths[p]) / 4;
    if (truth == CodeTruth::kVector) {
      const double rest = std::max(0.0, square - s * along[p] + own);
      bounds[p]->error = round_up(std::sqrt(rest + kSquareSlack) + kRotationError * kLengthTolerance);
    } else {
      const double truth_square = s8 * s8 * static_cast<double>(lengths[2]) / 4;
      const double rest = std::max(0.0, truth_square - s8 * s * static_cast<double>(with_fine[p]) / 2 + own);
      bounds[p]->error = p == 2 ? 0.0f : round_up(std::sqrt(rest + kSquareSlack) * (1 + kRotationError));
    }
  }
}

bool VectorCoder::prepare(const float* unit, CodedQuery* out) const {
  const size_t width = 2 * stride_;
  if (!out->code.reset(width) || !out->rotated.reset(width) || !out->vector.reset(dims_)) return false;
  std::memcpy(out->vector.data(), unit, dims_ * sizeof(float));
  float* v = out->rotated.data();
  rotate(unit, v);
  double square = 0;
  float largest = 0;
  for (size_t i = 0; i < dims_; ++i) {
    square += static_cast<double>(unit[i]) * unit[i];
    largest = std::max(largest, std::fabs(v[i]));
  }
  out->scale = largest / 127;
  out->sum = 0;
  double rest = 0;
  for (size_t i = 0; i < width; ++i) {
    const float at = std::nearbyint(v[i] / out->scale);
    const int code = static_cast<int>(std::min(std::max(at, -127.0f), 127.0f));
    const double left = v[i] - static_cast<double>(out->scale) * code;
    rest += left * left;
    out->code[i] = static_cast<int8_t>(code);
    out->sum += code;
  }
  const double length = std::sqrt(square + kSquareSlack);
  // |s·a| ≤ |u|(1 + 2^-23) and |u| ≤ kLengthTolerance·(1 + kRotationError)
  const double row_length = kLengthTolerance * (1 + 2 * kRotationError);
  out->length = round_up(length);
  out->error = round_up(row_length * (std::sqrt(rest + kSquareSlack) + kRotationError * length) + kKernelSlack);
  return true;
}

}  // namespace lineament
