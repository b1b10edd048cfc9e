// Kernels for AArch64, where NEON is part of the baseline. Elsewhere this file is empty. What is not here (samples
// along a line, the passes in 16-bit numbers) runs as the plain kernels.
#include "image/kernels.h"

#if defined(__aarch64__) || defined(_M_ARM64)

#include <arm_neon.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

namespace lineament {
namespace {

// ---- resize ----

ALWAYS_INLINE void vertical_taps(const uint8_t* const* rows, const float* weights, const int taps, const int accumulate,
                                 size_t count, float* out) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    float32x4_t s[4];
    for (int j = 0; j < 4; ++j) s[j] = accumulate ? vld1q_f32(out + i + 4 * j) : vdupq_n_f32(0);
    for (int k = 0; k < taps; ++k) {
      const uint8x16_t v = vld1q_u8(rows[k] + i);
      const uint16x8_t lo = vmovl_u8(vget_low_u8(v)), hi = vmovl_high_u8(v);
      s[0] = vfmaq_n_f32(s[0], vcvtq_f32_u32(vmovl_u16(vget_low_u16(lo))), weights[k]);
      s[1] = vfmaq_n_f32(s[1], vcvtq_f32_u32(vmovl_high_u16(lo)), weights[k]);
      s[2] = vfmaq_n_f32(s[2], vcvtq_f32_u32(vmovl_u16(vget_low_u16(hi))), weights[k]);
      s[3] = vfmaq_n_f32(s[3], vcvtq_f32_u32(vmovl_high_u16(hi)), weights[k]);
    }
    for (int j = 0; j < 4; ++j) vst1q_f32(out + i + 4 * j, s[j]);
  }
  for (; i < count; ++i) {
    float s = accumulate ? out[i] : 0.0f;
    for (int k = 0; k < taps; ++k) s += weights[k] * static_cast<float>(rows[k][i]);
    out[i] = s;
  }
}

void vertical(const uint8_t* const* rows, const float* weights, int taps, int accumulate, size_t count, float* out) {
  if (accumulate) {
    vertical_taps(rows, weights, taps, 1, count, out);
  } else if (taps == 1) {
    vertical_taps(rows, weights, 1, 0, count, out);
  } else if (taps == 2) {
    vertical_taps(rows, weights, 2, 0, count, out);
  } else if (taps == 3) {
    vertical_taps(rows, weights, 3, 0, count, out);
  } else {
    vertical_taps(rows, weights, taps, 0, count, out);
  }
}

ALWAYS_INLINE void horizontal_taps(const float* row, int pixel, const int32_t* start, const float* weights,
                                   const int taps, int count, float* out) {
  for (int x = 0; x < count; ++x, out += 4) {
    const float* p = row + start[x];
    float32x4_t s = vmulq_n_f32(vld1q_f32(p), weights[0]);
    for (int k = 1; k < taps; ++k) s = vfmaq_n_f32(s, vld1q_f32(p + k * pixel), weights[k]);
    vst1q_f32(out, s);
    weights += taps;
  }
}

void horizontal(const float* row, int pixel, const int32_t* start, const float* weights, int taps, int count,
                float* out) {
  switch (taps) {
    case 1:
      return horizontal_taps(row, pixel, start, weights, 1, count, out);
    case 2:
      return horizontal_taps(row, pixel, start, weights, 2, count, out);
    case 3:
      return horizontal_taps(row, pixel, start, weights, 3, count, out);
    default:
      return horizontal_taps(row, pixel, start, weights, taps, count, out);
  }
}

// ---- pixel rows to tensor rows ----

ALWAYS_INLINE PackTarget advance(PackTarget t, int pixels, int element) {
  for (int s = 0; s < 3; ++s) t.plane[s] = static_cast<uint8_t*>(t.plane[s]) + pixels * element;
  t.packed = static_cast<uint8_t*>(t.packed) + 3 * pixels * element;
  return t;
}

ALWAYS_INLINE float32x4_t scaled(float32x4_t v, float scale, float offset) {
  return vfmaq_n_f32(vdupq_n_f32(offset), v, scale);
}

// Eight floats to eight bytes, rounded and saturated.
ALWAYS_INLINE uint8x8_t bytes8(float32x4_t a, float32x4_t b) {
  return vqmovun_s16(vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(a)), vqmovn_s32(vcvtnq_s32_f32(b))));
}

void pack_planar_f32(const float* pixels, int count, const PackTarget& t) {
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    const float32x4x4_t v = vld4q_f32(pixels + 4 * i);
    for (int s = 0; s < 3; ++s)
      vst1q_f32(static_cast<float*>(t.plane[s]) + i, scaled(v.val[s], t.scale[s], t.offset[s]));
  }
  if (i < count) {
    PackTarget rest = t;
    for (int s = 0; s < 3; ++s) rest.plane[s] = static_cast<float*>(t.plane[s]) + i;
    kImageKernelsScalar.pack_planar_f32(pixels + 4 * i, count - i, rest);
  }
}

void pack_packed_f32(const float* pixels, int count, const PackTarget& t) {
  float* out = static_cast<float*>(t.packed);
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    const float32x4x4_t v = vld4q_f32(pixels + 4 * i);
    float32x4x3_t o;
    for (int s = 0; s < 3; ++s) o.val[t.position[s]] = scaled(v.val[s], t.scale[s], t.offset[s]);
    vst3q_f32(out + 3 * i, o);
  }
  if (i < count) kImageKernelsScalar.pack_packed_f32(pixels + 4 * i, count - i, advance(t, i, 4));
}

void pack_planar_u8(const float* pixels, int count, const PackTarget& t) {
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    const float32x4x4_t a = vld4q_f32(pixels + 4 * i), b = vld4q_f32(pixels + 4 * i + 16);
    for (int s = 0; s < 3; ++s) {
      vst1_u8(static_cast<uint8_t*>(t.plane[s]) + i,
              bytes8(scaled(a.val[s], t.scale[s], t.offset[s]), scaled(b.val[s], t.scale[s], t.offset[s])));
    }
  }
  if (i < count) {
    PackTarget rest = t;
    for (int s = 0; s < 3; ++s) rest.plane[s] = static_cast<uint8_t*>(t.plane[s]) + i;
    kImageKernelsScalar.pack_planar_u8(pixels + 4 * i, count - i, rest);
  }
}

void pack_packed_u8(const float* pixels, int count, const PackTarget& t) {
  uint8_t* out = static_cast<uint8_t*>(t.packed);
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    const float32x4x4_t a = vld4q_f32(pixels + 4 * i), b = vld4q_f32(pixels + 4 * i + 16);
    uint8x8x3_t o;
    for (int s = 0; s < 3; ++s) {
      o.val[t.position[s]] =
          bytes8(scaled(a.val[s], t.scale[s], t.offset[s]), scaled(b.val[s], t.scale[s], t.offset[s]));
    }
    vst3_u8(out + 3 * i, o);
  }
  if (i < count) kImageKernelsScalar.pack_packed_u8(pixels + 4 * i, count - i, advance(t, i, 1));
}

void luma(const float* pixels, const float* weights, int count, float* out) {
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    const float32x4x4_t v = vld4q_f32(pixels + 4 * i);
    const float32x4_t s = vfmaq_n_f32(vmulq_n_f32(v.val[2], weights[2]), v.val[1], weights[1]);
    vst1q_f32(out + i, vfmaq_n_f32(s, v.val[0], weights[0]));
  }
  if (i < count) kImageKernelsScalar.luma(pixels + 4 * i, weights, count - i, out + i);
}

// ---- YUV and bytes ----

// Luma in 1/64 units with half a unit for rounding.
ALWAYS_INLINE int16x8_t luma64(uint8x8_t y) {
  const int16x8_t v = vreinterpretq_s16_u16(vshll_n_u8(vqsub_u8(y, vdup_n_u8(16)), 7));
  return vaddq_s16(vqrdmulhq_n_s16(v, 19077), vdupq_n_s16(32));
}

ALWAYS_INLINE int16x8_t chroma16(uint8x8_t c) {
  return vreinterpretq_s16_u16(veorq_u16(vshll_n_u8(c, 8), vdupq_n_u16(0x8000)));
}

// Sixteen bytes of one channel from the luma of even and odd pixels and their common chroma term.
ALWAYS_INLINE uint8x16_t channel(int16x8_t even, int16x8_t odd, int16x8_t chroma) {
  const uint8x8_t a = vqshrun_n_s16(vqaddq_s16(even, chroma), 6), b = vqshrun_n_s16(vqaddq_s16(odd, chroma), 6);
  const uint8x8x2_t z = vzip_u8(a, b);
  return vcombine_u8(z.val[0], z.val[1]);
}

void yuv(const YuvRow& job) {
  uint8_t* out = job.out;
  int i = 0;
  for (; i + 16 <= job.count; i += 16, out += 16 * job.pixel) {
    uint8x8_t even, odd, u8, v8;
    if (job.kind == YuvKind::kPacked) {
      const uint8x8x4_t p = vld4_u8(job.y + 2 * i);
      even = p.val[0], u8 = p.val[1], odd = p.val[2], v8 = p.val[3];
    } else {
      const uint8x8x2_t y = vld2_u8(job.y + i);
      even = y.val[0], odd = y.val[1];
      if (job.kind == YuvKind::kSemiPlanar) {
        const uint8x8x2_t uv = vld2_u8(job.u + i);
        u8 = uv.val[0], v8 = uv.val[1];
      } else {
        u8 = vld1_u8(job.u + i / 2), v8 = vld1_u8(job.v + i / 2);
      }
    }
    const int16x8_t ye = luma64(even), yo = luma64(odd), u = chroma16(u8), v = chroma16(v8);
    const uint8x16_t r = channel(ye, yo, vqrdmulhq_n_s16(v, 13075));
    const uint8x16_t g = channel(ye, yo, vaddq_s16(vqrdmulhq_n_s16(u, -3209), vqrdmulhq_n_s16(v, -6660)));
    const uint8x16_t b = channel(ye, yo, vqrdmulhq_n_s16(u, 16525));
    const uint8x16_t first = job.bgr ? b : r, third = job.bgr ? r : b;
    if (job.pixel == 3) {
      const uint8x16x3_t o = {{first, g, third}};
      vst3q_u8(out, o);
    } else {
      const uint8x16x4_t o = {{first, g, third, vdupq_n_u8(255)}};
      vst4q_u8(out, o);
    }
  }
  YuvRow rest = job;
  rest.y += job.kind == YuvKind::kPacked ? 2 * i : i;
  if (job.kind == YuvKind::kPlanar) {
    rest.u += i / 2;
    rest.v += i / 2;
  } else if (job.kind == YuvKind::kSemiPlanar) {
    rest.u += i;
  }
  rest.count -= i;
  rest.out = out;
  if (rest.count > 0) kImageKernelsScalar.yuv(rest);
}

void gray(const uint8_t* in, int in_pixel, int red, int count, uint8_t* out) {
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    uint8x8_t c[3];
    if (in_pixel == 3) {
      const uint8x8x3_t p = vld3_u8(in + 3 * i);
      c[0] = p.val[0], c[1] = p.val[1], c[2] = p.val[2];
    } else {
      const uint8x8x4_t p = vld4_u8(in + 4 * i);
      c[0] = p.val[0], c[1] = p.val[1], c[2] = p.val[2];
    }
    const uint16x8_t r = vmovl_u8(c[red]), g = vmovl_u8(c[1]), b = vmovl_u8(c[2 - red]);
    uint32x4_t lo = vmull_n_u16(vget_low_u16(r), 4899), hi = vmull_n_u16(vget_high_u16(r), 4899);
    lo = vmlal_n_u16(vmlal_n_u16(lo, vget_low_u16(g), 9617), vget_low_u16(b), 1868);
    hi = vmlal_n_u16(vmlal_n_u16(hi, vget_high_u16(g), 9617), vget_high_u16(b), 1868);
    vst1_u8(out + i, vmovn_u16(vcombine_u16(vrshrn_n_u32(lo, 14), vrshrn_n_u32(hi, 14))));
  }
  if (i < count)
    kImageKernelsScalar.gray(in + static_cast<size_t>(i) * static_cast<size_t>(in_pixel), in_pixel, red, count - i,
                             out + i);
}

// ---- statistics ----

void laplacian_sums(const uint8_t* above, const uint8_t* row, const uint8_t* below, int count, LaplacianSums* sums) {
  int64x2_t sum = vdupq_n_s64(0), squares = sum;
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    const uint16x8_t around = vaddq_u16(vaddl_u8(vld1_u8(row + i), vld1_u8(row + i + 2)),
                                        vaddl_u8(vld1_u8(above + i + 1), vld1_u8(below + i + 1)));
    const int16x8_t v = vreinterpretq_s16_u16(vsubq_u16(vshll_n_u8(vld1_u8(row + i + 1), 2), around));
    sum = vpadalq_s32(sum, vpaddlq_s16(v));
    squares = vpadalq_s32(squares, vmull_s16(vget_low_s16(v), vget_low_s16(v)));
    squares = vpadalq_s32(squares, vmull_high_s16(v, v));
  }
  sums->sum += vaddvq_s64(sum);
  sums->squares += static_cast<uint64_t>(vaddvq_s64(squares));
  if (i < count) kImageKernelsScalar.laplacian_sums(above + i, row + i, below + i, count - i, sums);
}

void luma_sums(const uint8_t* row, int count, LumaSums* sums) {
  uint64x2_t sum = vdupq_n_u64(0), squares = sum, under = sum, over = sum;
  int i = 0;
  for (; i + 16 <= count; i += 16) {
    const uint8x16_t v = vld1q_u8(row + i), one = vdupq_n_u8(1);
    sum = vpadalq_u32(sum, vpaddlq_u16(vpaddlq_u8(v)));
    squares = vpadalq_u32(squares, vpaddlq_u16(vmull_u8(vget_low_u8(v), vget_low_u8(v))));
    squares = vpadalq_u32(squares, vpaddlq_u16(vmull_high_u8(v, v)));
    under = vpadalq_u32(under, vpaddlq_u16(vpaddlq_u8(vandq_u8(vcleq_u8(v, vdupq_n_u8(kUnderexposed)), one))));
    over = vpadalq_u32(over, vpaddlq_u16(vpaddlq_u8(vandq_u8(vcgeq_u8(v, vdupq_n_u8(kOverexposed)), one))));
  }
  sums->sum += vaddvq_u64(sum);
  sums->squares += vaddvq_u64(squares);
  sums->under += vaddvq_u64(under);
  sums->over += vaddvq_u64(over);
  if (i < count) kImageKernelsScalar.luma_sums(row + i, count - i, sums);
}

}  // namespace

void image_kernels_neon(ImageKernels* table) {
  table->vertical = vertical;
  table->horizontal = horizontal;
  table->luma = luma;
  table->pack_planar_f32 = pack_planar_f32;
  table->pack_packed_f32 = pack_packed_f32;
  table->pack_planar_u8 = pack_planar_u8;
  table->pack_packed_u8 = pack_packed_u8;
  table->yuv = yuv;
  table->gray = gray;
  table->luma_sums = luma_sums;
  table->laplacian_sums = laplacian_sums;
}

}  // namespace lineament

#endif
