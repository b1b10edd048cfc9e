// Factors that make photographs of one surface equally bright.
#pragma once

#include <cstddef>
#include <vector>

#include "mesh/photo_view.h"

namespace lineament {

// M. Brown, D. Lowe, "Automatic Panoramic Image Stitching using Invariant Features", IJCV 74(1), 2007, section 6, for
// each channel; deviations of 10 levels for the colours and of 1 for the gains, which are kept between 1/2 and 2.
class PhotoGains {
 public:
  explicit PhotoGains(size_t photographs);

  // What the photographs show of one place. Places that are seen well by both of two count most.
  void add(const PhotoSample* samples);
  // Three for each photograph; 1 where nothing overlaps.
  std::vector<double> solve() const;

 private:
  struct Pair {
    double count = 0;
    double colour[3] = {0, 0, 0};  // sums of the first photograph's
  };
  size_t n_;
  std::vector<Pair> pairs_;  // n × n
};

}  // namespace lineament
