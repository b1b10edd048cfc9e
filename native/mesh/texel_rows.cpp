#include "mesh/texel_rows.h"

namespace lineament {

RowBands::RowBands(const RasterPoint* corners, size_t triangles, int height, int rows_in_band)
    : height_(height), rows_(rows_in_band) {
  const size_t bands = static_cast<size_t>((height + rows_ - 1) / rows_);
  starts_.assign(bands + 1, 0);
  const auto each = [&](auto act) {
    for (size_t t = 0; t < triangles; ++t) {
      const RasterPoint* p = corners + 3 * t;
      const RowRange rows = rows_of(p, height_);
      if (rows.first >= rows.end || !spans_area(p)) continue;
      const size_t last = static_cast<size_t>((rows.end - 1) / rows_);
      for (size_t band = static_cast<size_t>(rows.first / rows_); band <= last; ++band) act(band, t);
    }
  };
  each([&](size_t band, size_t) { ++starts_[band + 1]; });
  for (size_t band = 0; band < bands; ++band) starts_[band + 1] += starts_[band];
  list_.resize(starts_[bands]);
  std::vector<size_t> at(starts_.begin(), starts_.end() - 1);
  each([&](size_t band, size_t t) { list_[at[band]++] = static_cast<uint32_t>(t); });
}

}  // namespace lineament
