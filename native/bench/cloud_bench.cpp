// Point clouds beside Open3D, driven line by line, so that a caller can let both take turns: each line on stdin is a
// command, each answer one line of JSON on stdout.
//
// Usage: cloud_bench KIND POINTS THREADS
//   KIND  scan      a face-like surface with noise, 1 % of strays, row by row as a depth camera gives it
//         shuffled  the same points in random order
// Commands: ours WORK, open3d WORK (milliseconds of one run), compare WORK (do the result sets agree?), where WORK is
//   voxels 1.5   means of cubes of 1.5 mm
//   statistical 20 2   radius 16 2   outliers
//   normals 30   of the 30 nearest
// and, ours alone: poisson 1.5, icp (registers 1/8 of the points with all of them, from 15° and 20 mm).
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <numeric>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "cloud/icp.h"
#include "cloud/normals.h"
#include "cloud/outliers.h"
#include "cloud/voxels.h"
#ifdef LINEAMENT_WITH_OPEN3D
#include "bench/open3d_peer.h"
#endif

using namespace lineament;

namespace {

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

PointCloud make(bool shuffled, size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<double> gauss;
  std::uniform_real_distribution<double> unit(-1, 1);
  const auto side = static_cast<size_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  std::vector<float> rows;
  for (size_t i = 0; i < count; ++i) {
    const auto along = [&](size_t k) {
      return (static_cast<double>(k) + 0.5 * unit(random)) / static_cast<double>(side) - 0.5;
    };
    double x = 180 * along(i % side), y = 240 * along(i / side);
    double z = 500 + x * x / 180 + y * y / 420 - 24 * std::exp(-x * x / 169 - y * y / 676) + 0.1 * gauss(random);
    if (random() % 100 == 0) {
      x = 150 * unit(random);
      y = 150 * unit(random);
      z = 500 + 150 * unit(random);
    }
    rows.insert(rows.end(), {static_cast<float>(x), static_cast<float>(y), static_cast<float>(z)});
  }
  if (!shuffled) return {rows, {}, {}};
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::shuffle(order.begin(), order.end(), random);
  PointCloud out;
  for (const size_t i : order)
    out.positions.insert(out.positions.end(), {rows[3 * i], rows[3 * i + 1], rows[3 * i + 2]});
  return out;
}

struct Work {
  std::string name;
  double first = 0, second = 0;
};

struct Answer {
  std::vector<double> numbers;
  std::vector<uint32_t> kept;
  double ms = 0;
};

class Bench {
 public:
  Bench(PointCloud cloud, size_t threads) : cloud_(std::move(cloud)), executor_(threads) {
#ifdef LINEAMENT_WITH_OPEN3D
    peer_ = open3d_peer_make(cloud_.positions.data(), cloud_.size());
#endif
  }

  Answer ours(const Work& work) {
    Answer out;
    const CloudView points = view(cloud_);
    std::vector<float> floats;
    const double began = now_ms();
    if (work.name == "voxels") {
      floats = std::move(voxel_means(points, work.first, executor_, nullptr).value().positions);
    } else if (work.name == "statistical") {
      out.kept = statistical_inliers(points, size_of(work.first), work.second, executor_, nullptr).value();
    } else if (work.name == "radius") {
      out.kept = radius_inliers(points, size_of(work.first), work.second, executor_, nullptr).value();
    } else if (work.name == "normals") {
      NormalRule rule;
      rule.neighbours = size_of(work.first);
      floats = std::move(estimate_normals(points, rule, executor_, nullptr).value());
    } else if (work.name == "poisson") {
      out.kept = poisson_disk(points, work.first, 1, executor_, nullptr).value();
    }
    out.ms = now_ms() - began;
    out.numbers.assign(floats.begin(), floats.end());
    return out;
  }

  Answer open3d([[maybe_unused]] const Work& work) {
    Answer out;
#ifdef LINEAMENT_WITH_OPEN3D
    const double began = now_ms();
    if (work.name == "voxels") out.numbers = open3d_peer_voxels(peer_, work.first);
    if (work.name == "statistical") out.kept = open3d_peer_statistical(peer_, size_of(work.first), work.second);
    if (work.name == "radius") out.kept = open3d_peer_radius(peer_, size_of(work.first), work.second);
    if (work.name == "normals") out.numbers = open3d_peer_normals(peer_, size_of(work.first));
    out.ms = now_ms() - began;
#endif
    return out;
  }

  // Registers every eighth point, moved, with the whole cloud.
  void icp() {
    PointCloud target = cloud_, source;
    target.normals = estimate_normals(view(target), {}, executor_, nullptr).value();
    const double c = std::cos(0.2618), s = std::sin(0.2618);
    for (size_t i = 0; i < cloud_.size(); i += 8) {
      const float* p = &cloud_.positions[3 * i];
      const double x = static_cast<double>(p[0]), z = static_cast<double>(p[2]) - 520;
      source.positions.insert(source.positions.end(), {static_cast<float>(c * x + s * z + 12), p[1] + 12,
                                                       static_cast<float>(c * z - s * x + 531)});
    }
    IcpRule rule;
    rule.levels = {{8, 60}, {4, 20}, {2, 8}, {1, 4}};
    const double began = now_ms();
    const auto found = register_clouds(view(source), view(target), rule, executor_, nullptr);
    const double ms = now_ms() - began;
    double squares = 0;
    for (size_t i = 0; i < source.size(); ++i) {
      const float* p = &source.positions[3 * i];
      for (size_t r = 0; r < 3; ++r) {
        double at = found.value().transform.translation[r];
        for (size_t k = 0; k < 3; ++k) at += found.value().transform.rotation[3 * r + k] * static_cast<double>(p[k]);
        const double d = at - static_cast<double>(cloud_.positions[24 * i + r]);
        squares += d * d;
      }
    }
    std::printf("{\"ms\":%.3f,\"error\":%.5f,\"iterations\":%zu,\"points\":%zu}\n", ms,
                std::sqrt(squares / static_cast<double>(source.size())), found.value().iterations, source.size());
  }

 private:
  static size_t size_of(double value) { return static_cast<size_t>(value); }

  const PointCloud cloud_;
  Executor executor_;
  void* peer_ = nullptr;
};

using Point = std::array<double, 3>;

std::vector<Point> sorted(const std::vector<double>& numbers) {
  std::vector<Point> out;
  for (size_t i = 0; i + 2 < numbers.size(); i += 3) out.push_back({numbers[i], numbers[i + 1], numbers[i + 2]});
  std::sort(out.begin(), out.end());
  return out;
}

// Share of one's points that have another's within `tolerance` on each axis, in sorted lists.
double share_met(const std::vector<Point>& one, const std::vector<Point>& other, double tolerance) {
  size_t met = 0;
  for (const Point& p : one) {
    auto at = std::lower_bound(other.begin(), other.end(), Point{p[0] - tolerance, -1e300, -1e300});
    for (; at != other.end() && (*at)[0] <= p[0] + tolerance; ++at) {
      if (std::abs((*at)[1] - p[1]) > tolerance || std::abs((*at)[2] - p[2]) > tolerance) continue;
      ++met;
      break;
    }
  }
  return one.empty() ? 1 : static_cast<double>(met) / static_cast<double>(one.size());
}

void compare(Bench& bench, const Work& work) {
  const Answer a = bench.ours(work), b = bench.open3d(work);
  if (work.name == "normals") {
    size_t same = 0, count = a.numbers.size() / 3;
    double worst = 0;
    for (size_t i = 0; i < count; ++i) {
      double dot = 0, other = 0;
      for (size_t c = 0; c < 3; ++c) {
        dot += a.numbers[3 * i + c] * b.numbers[3 * i + c];
        other += b.numbers[3 * i + c] * b.numbers[3 * i + c];
      }
      const double angle = std::acos(std::min(1.0, std::abs(dot) / std::sqrt(other))) * 57.29577951308232;
      if (angle <= 0.1) ++same;
      worst = std::max(worst, angle);
    }
    std::printf("{\"points\":%zu,\"share\":%.8f,\"worst\":%.4f}\n", count,
                static_cast<double>(same) / static_cast<double>(count), worst);
  } else if (work.name == "voxels") {
    const std::vector<Point> first = sorted(a.numbers), second = sorted(b.numbers);
    std::printf("{\"points\":%zu,\"peer\":%zu,\"share\":%.8f}\n", first.size(), second.size(),
                std::min(share_met(first, second, 1e-4), share_met(second, first, 1e-4)));
  } else {
    std::vector<uint32_t> differing;
    std::set_symmetric_difference(a.kept.begin(), a.kept.end(), b.kept.begin(), b.kept.end(),
                                  std::back_inserter(differing));
    std::printf("{\"points\":%zu,\"peer\":%zu,\"differing\":%zu}\n", a.kept.size(), b.kept.size(), differing.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "Usage: cloud_bench scan|shuffled POINTS THREADS\n");
    return 2;
  }
  Bench bench(make(std::string(argv[1]) == "shuffled", std::stoul(argv[2])), std::stoul(argv[3]));
#ifdef LINEAMENT_WITH_OPEN3D
  std::printf("{\"open3d\":true}\n");
#else
  std::printf("{\"open3d\":false}\n");
#endif
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    Work work;
    words >> verb >> work.name >> work.first >> work.second;
    if (verb == "icp") {
      bench.icp();
    } else if (verb == "compare") {
      compare(bench, work);
    } else {
      const Answer answer = verb == "ours" ? bench.ours(work) : bench.open3d(work);
      std::printf("{\"ms\":%.3f,\"points\":%zu}\n", answer.ms, std::max(answer.kept.size(), answer.numbers.size() / 3));
    }
    std::fflush(stdout);
  }
  return 0;
}
