// The plain kernels: the reference for every other level and what runs where there is no other.
#include <math.h>

#include "image/kernels.h"

namespace lineament {
namespace {

void vertical(const uint8_t* const* rows, const float* weights, int taps, int accumulate, size_t count, float* out) {
  int k = 0;
  if (!accumulate) {
    const uint8_t* r = rows[0];
    const float w = weights[0];
    for (size_t i = 0; i < count; ++i) out[i] = w * static_cast<float>(r[i]);
    k = 1;
  }
  for (; k < taps; ++k) {
    const uint8_t* r = rows[k];
    const float w = weights[k];
    for (size_t i = 0; i < count; ++i) out[i] += w * static_cast<float>(r[i]);
  }
}

void horizontal(const float* row, int pixel, const int32_t* start, const float* weights, int taps, int count,
                float* out) {
  for (int x = 0; x < count; ++x, out += 4) {
    const float* p = row + start[x];
    float s0 = 0, s1 = 0, s2 = 0;
    for (int k = 0; k < taps; ++k, p += pixel) {
      const float w = *weights++;
      s0 += w * p[0];
      s1 += w * p[1];
      s2 += w * p[2];
    }
    out[0] = s0;
    out[1] = s1;
    out[2] = s2;
    out[3] = 0;
  }
}

void horizontal_gray(const float* row, const int32_t* start, const float* weights, int taps, int count, float* out) {
  for (int x = 0; x < count; ++x) {
    const float* p = row + start[x];
    float s = 0;
    for (int k = 0; k < taps; ++k) s += *weights++ * p[k];
    out[x] = s;
  }
}

void bilinear(const BilinearRow& job) {
  int64_t x = job.x, y = job.y;
  const float gain = job.gain * (1.0f / 16384.0f);
  const int channels = job.pixel == 1 ? 1 : 3;
  const int lanes = job.pixel == 1 ? 1 : 4;
  float* out = job.out;
  for (int i = 0; i < job.count; ++i, x += job.step_x, y += job.step_y, out += lanes) {
    const int fx = static_cast<int>(static_cast<uint32_t>(x) >> 18),
              fy = static_cast<int>(static_cast<uint32_t>(y) >> 18);
    const int w11 = (fx * fy + 8192) >> 14, w01 = fx - w11, w10 = fy - w11, w00 = 16384 - fx - w10;
    const uint8_t* p =
        job.data + static_cast<size_t>(y >> 32) * job.stride + static_cast<size_t>((x >> 32) * job.pixel);
    const uint8_t* q = p + job.stride;
    for (int c = 0; c < channels; ++c) {
      const int v = p[c] * w00 + p[c + job.pixel] * w01 + q[c] * w10 + q[c + job.pixel] * w11;
      const float s = static_cast<float>(v) * gain;
      out[c] = job.accumulate ? out[c] + s : s;
    }
  }
}

void luma(const float* pixels, const float* weights, int count, float* out) {
  for (int i = 0; i < count; ++i, pixels += 4) {
    out[i] = pixels[0] * weights[0] + pixels[1] * weights[1] + pixels[2] * weights[2];
  }
}

inline uint8_t to_byte(float v) {
  v = v < 0.0f ? 0.0f : (v > 255.0f ? 255.0f : v);
  return static_cast<uint8_t>(lrintf(v));
}

void pack_planar_f32(const float* pixels, int count, const PackTarget& t) {
  float* a = static_cast<float*>(t.plane[0]);
  float* b = static_cast<float*>(t.plane[1]);
  float* c = static_cast<float*>(t.plane[2]);
  for (int i = 0; i < count; ++i, pixels += 4) {
    a[i] = pixels[0] * t.scale[0] + t.offset[0];
    b[i] = pixels[1] * t.scale[1] + t.offset[1];
    c[i] = pixels[2] * t.scale[2] + t.offset[2];
  }
}

void pack_packed_f32(const float* pixels, int count, const PackTarget& t) {
  float* out = static_cast<float*>(t.packed);
  for (int i = 0; i < count; ++i, pixels += 4, out += 3) {
    for (int s = 0; s < 3; ++s) out[t.position[s]] = pixels[s] * t.scale[s] + t.offset[s];
  }
}

void pack_planar_u8(const float* pixels, int count, const PackTarget& t) {
  for (int i = 0; i < count; ++i, pixels += 4) {
    for (int s = 0; s < 3; ++s) static_cast<uint8_t*>(t.plane[s])[i] = to_byte(pixels[s] * t.scale[s] + t.offset[s]);
  }
}

void pack_packed_u8(const float* pixels, int count, const PackTarget& t) {
  uint8_t* out = static_cast<uint8_t*>(t.packed);
  for (int i = 0; i < count; ++i, pixels += 4, out += 3) {
    for (int s = 0; s < 3; ++s) out[t.position[s]] = to_byte(pixels[s] * t.scale[s] + t.offset[s]);
  }
}

void pack_gray_f32(const float* pixels, int count, float scale, float offset, float* out) {
  for (int i = 0; i < count; ++i) out[i] = pixels[i] * scale + offset;
}

void pack_gray_u8(const float* pixels, int count, float scale, float offset, uint8_t* out) {
  for (int i = 0; i < count; ++i) out[i] = to_byte(pixels[i] * scale + offset);
}

inline uint8_t clamp_byte(int v) { return static_cast<uint8_t>(v < 0 ? 0 : (v > 255 ? 255 : v)); }

// Rounded product of two Q15 numbers, what the SIMD instruction of that shape computes.
inline int mul_q15(int a, int b) { return (a * b + 0x4000) >> 15; }

// BT.601 limited range in 1/64 units. Luma (Y - 16) << 7 times coefficient * 2^14; chroma (C - 128) << 8 times
// coefficient * 2^13.
constexpr int kYuvY = 19077, kYuvVr = 13075, kYuvUg = -3209, kYuvVg = -6660, kYuvUb = 16525;

void yuv(const YuvRow& job) {
  uint8_t* out = job.out;
  const int red = job.bgr ? 2 : 0, blue = 2 - red;
  for (int i = 0; i < job.count; ++i, out += job.pixel) {
    int y, u, v;
    switch (job.kind) {
      case YuvKind::kPlanar:
        y = job.y[i], u = job.u[i >> 1], v = job.v[i >> 1];
        break;
      case YuvKind::kSemiPlanar:
        y = job.y[i], u = job.u[i & ~1], v = job.u[i | 1];
        break;
      default:
        y = job.y[2 * i], u = job.y[(i >> 1) * 4 + 1], v = job.y[(i >> 1) * 4 + 3];
        break;
    }
    const int l = mul_q15((y < 16 ? 0 : y - 16) * 128, kYuvY) + 32;
    u = (u - 128) * 256;
    v = (v - 128) * 256;
    out[red] = clamp_byte((l + mul_q15(v, kYuvVr)) >> 6);
    out[1] = clamp_byte((l + mul_q15(u, kYuvUg) + mul_q15(v, kYuvVg)) >> 6);
    out[blue] = clamp_byte((l + mul_q15(u, kYuvUb)) >> 6);
    if (job.pixel == 4) out[3] = 255;
  }
}

void expand_luma(const uint8_t* y, int step, int count, uint8_t* out) {
  for (int i = 0; i < count; ++i) {
    const int v = y[static_cast<size_t>(i) * static_cast<size_t>(step)];
    out[i] = clamp_byte((mul_q15((v < 16 ? 0 : v - 16) * 128, kYuvY) + 32) >> 6);
  }
}

void shuffle(const uint8_t* in, int in_pixel, uint8_t* out, int out_pixel, const int* from, int count) {
  for (int i = 0; i < count; ++i, in += in_pixel, out += out_pixel) {
    for (int c = 0; c < out_pixel; ++c) out[c] = from[c] < 0 ? 255 : in[from[c]];
  }
}

void gray(const uint8_t* in, int in_pixel, int red, int count, uint8_t* out) {
  for (int i = 0; i < count; ++i, in += in_pixel) {
    out[i] = static_cast<uint8_t>((4899 * in[red] + 9617 * in[1] + 1868 * in[2 - red] + 8192) >> 14);
  }
}

void luma_sums(const uint8_t* row, int count, LumaSums* sums) {
  uint64_t sum = 0, squares = 0, under = 0, over = 0;
  for (int i = 0; i < count; ++i) {
    const unsigned v = row[i];
    sum += v;
    squares += v * v;
    under += v <= kUnderexposed;
    over += v >= kOverexposed;
  }
  sums->sum += sum;
  sums->squares += squares;
  sums->under += under;
  sums->over += over;
}

void laplacian_sums(const uint8_t* above, const uint8_t* row, const uint8_t* below, int count, LaplacianSums* sums) {
  int64_t sum = 0;
  uint64_t squares = 0;
  for (int i = 1; i <= count; ++i) {
    const int v = 4 * row[i] - row[i - 1] - row[i + 1] - above[i] - below[i];
    sum += v;
    squares += static_cast<uint64_t>(v * v);
  }
  sums->sum += sum;
  sums->squares += squares;
}

}  // namespace

extern const ImageKernels kImageKernelsScalar = {
    vertical,
    horizontal,
    horizontal_gray,
    nullptr,
    nullptr,
    nullptr,
    bilinear,
    nullptr,
    nullptr,
    luma,
    pack_planar_f32,
    pack_packed_f32,
    pack_planar_u8,
    pack_packed_u8,
    pack_gray_f32,
    pack_gray_u8,
    yuv,
    expand_luma,
    shuffle,
    gray,
    luma_sums,
    laplacian_sums,
};

}  // namespace lineament
