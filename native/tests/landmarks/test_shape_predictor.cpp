// The predictor against the plainest one in double precision, and against itself at other levels, formats and threads.
#include <atomic>
#include <filesystem>
#include <limits>
#include <thread>

#include "core/dispatch.h"
#include "core/spread.h"
#include "image/convert.h"
#include "image/kernels_select.h"
#include "landmarks/shape_kernels_select.h"
#include "landmarks/shape_predictor.h"
#include "tests/check.h"
#include "tests/image/reference.h"
#include "tests/landmarks/synthetic.h"

using namespace lineament;
using synthetic::Counts;
using synthetic::make_model;
using synthetic::Random;

namespace {

constexpr int kWidth = 211, kHeight = 167;

ImageView grey_view(const std::vector<uint8_t>& pixels, int width = kWidth, int height = kHeight) {
  return {pixels.data(), pixels.size(), width, height, static_cast<size_t>(width), PixelFormat::kGray};
}

std::vector<double> make_boxes(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<double> boxes;
  for (size_t i = 0; i < count; ++i) {
    const double side = random.uniform(20, 150);
    // Some reach over the edge of the picture, a few lie outside of it; every other one has whole numbers.
    const double box[] = {random.uniform(-60, kWidth), random.uniform(-60, kHeight), side,
                          side * random.uniform(0.7, 1.4)};
    for (const double v : box) boxes.push_back(i % 2 == 0 ? v : std::floor(v));
  }
  return boxes;
}

std::shared_ptr<const ShapePredictor> predictor(const ShapeModel& m) {
  auto made = ShapePredictor::make(m);
  CHECK_EQ(made.status().message(), std::string());
  return made.ok() ? made.value() : nullptr;
}

// The model as a compact file, opened.
std::shared_ptr<const ShapePredictor> compact(const ShapeModel& m) {
  static std::atomic<int> count{0};
  const auto made = predictor(m);
  const auto path = std::filesystem::temp_directory_path() /
                    ("lineament-" + std::to_string(reinterpret_cast<uintptr_t>(&made)) + "-" + std::to_string(count++));
  CHECK(made->save(path.string(), ShapeFormat::kCompact, nullptr).ok());
  auto opened = ShapePredictor::open(path.string(), nullptr);
  CHECK_EQ(opened.status().message(), std::string());
#if !defined(_WIN32)
  std::filesystem::remove(path);  // stays mapped
#endif
  return opened.ok() ? opened.value() : nullptr;
}

std::vector<double> predict(const ShapePredictor& p, const ImageView& image, const std::vector<double>& boxes,
                            ShapeGrey grey = ShapeGrey::kLuma) {
  std::vector<double> out(boxes.size() / 4 * p.model().values(), -1.0);
  CHECK_EQ(p.predict(image, boxes.data(), boxes.size() / 4, out.data(), grey, nullptr).message(), std::string());
  return out;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  CHECK_EQ(a.size(), b.size());
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::abs(a[i] - b[i]) <= most ? most : std::abs(a[i] - b[i]);
  return most;
}

}  // namespace

TEST(points_are_those_of_a_plain_predictor_in_double_precision) {
  const auto pixels = synthetic::make_picture(kWidth, kHeight, 1);
  const auto grey = [&pixels](double x, double y) {
    if (x < 0 || y < 0 || x >= kWidth || y >= kHeight) return 0.0;
    return static_cast<double>(pixels[static_cast<size_t>(y) * kWidth + static_cast<size_t>(x)]);
  };
  const Counts shapes[] = {{7, 3, 11, 3, 20},  {68, 4, 30, 4, 60}, {1, 2, 5, 2, 9},   {5, 2, 3, 0, 4},
                           {3, 2, 9, 1, 6},    {29, 2, 6, 5, 33},  {13, 3, 4, 6, 25}, {2, 5, 8, 2, 12},
                           {194, 1, 7, 3, 40}, {6, 2, 9, 3, 2048}, {6, 2, 9, 3, 3000}};
  const std::vector<double> boxes = make_boxes(40, 2);
  for (const Counts& n : shapes) {
    const ShapeModel m = make_model(n, 10 + n.points);
    std::vector<double> expected;
    for (size_t i = 0; i < boxes.size(); i += 4) {
      const std::vector<double> one = synthetic::predict_plainly(m, grey, boxes.data() + i);
      expected.insert(expected.end(), one.begin(), one.end());
    }
    const std::vector<double> found = predict(*predictor(m), grey_view(pixels), boxes);
    CHECK(largest_difference(found, expected) < 1e-3);
    // A predictor that never looked at the picture would fail.
    const std::vector<uint8_t> black(pixels.size(), 0);
    if (n.depth > 0) CHECK(largest_difference(predict(*predictor(m), grey_view(black), boxes), expected) > 0.05);
  }
}

TEST(all_levels_give_the_same_bits) {
  const auto pixels = synthetic::make_picture(kWidth, kHeight, 3);
  const std::vector<double> boxes = make_boxes(10, 4);
  Simd levels[2];
  const int count = available_simd(levels);
  for (const Counts& n :
       {Counts{68, 3, 23, 4, 60}, Counts{3, 2, 6, 2, 5}, Counts{9, 2, 13, 3, 30}, Counts{1, 1, 1, 1, 1}}) {
    const ShapeModel m = make_model(n, n.points);
    for (const auto& p : {predictor(m), compact(m)}) {
      CHECK(force_shape_simd(Simd::kScalar));
      const std::vector<double> plain = predict(*p, grey_view(pixels), boxes);
      for (int i = 0; i < count; ++i) {
        CHECK(force_shape_simd(levels[i]));
        CHECK(predict(*p, grey_view(pixels), boxes) == plain);
      }
    }
  }
  force_shape_simd(active_simd() == Simd::kAvx512 ? Simd::kAvx2 : active_simd());
}

TEST(kernels_add_rows_of_any_length_and_number) {
  Random random(5);
  Simd levels[2];
  const int count = available_simd(levels);
  for (const size_t values : {1u, 2u, 7u, 8u, 9u, 16u, 31u, 136u}) {
    for (const size_t rows : {0u, 1u, 3u, 4u, 5u, 12u, 33u}) {
      // Exactly so many numbers on the heap that a step too far is seen by a sanitizer.
      std::vector<std::vector<float>> floats(rows);
      std::vector<std::vector<int16_t>> integers(rows);
      std::vector<const float*> f;
      std::vector<const int16_t*> s;
      std::vector<float> start(values), expected_f(values);
      std::vector<int32_t> expected_i(values, 0);
      std::vector<uint8_t> shifts;
      for (size_t k = 0; k < values; ++k) expected_f[k] = start[k] = static_cast<float>(random.uniform(-1, 1));
      for (size_t r = 0; r < rows; ++r) {
        shifts.push_back(static_cast<uint8_t>(random.below(11)));
        for (size_t k = 0; k < values; ++k) {
          floats[r].push_back(static_cast<float>(random.uniform(-1, 1)));
          integers[r].push_back(static_cast<int16_t>(static_cast<int>(random.below(65536)) - 32768));
          expected_f[k] += floats[r][k];
          expected_i[k] += integers[r][k] * (1 << shifts[r]);
        }
        f.push_back(floats[r].data());
        s.push_back(integers[r].data());
      }
      for (int i = 0; i < count; ++i) {
        const ShapeKernels& kernels = shape_kernels_for(levels[i]);
        std::vector<float> sum_f = start;
        std::vector<int32_t> sum_i(values, 77);
        kernels.add_f32(f.data(), rows, values, sum_f.data());
        kernels.add_i16(s.data(), shifts.data(), rows, values, sum_i.data());
        CHECK(sum_f == expected_f);
        CHECK(sum_i == expected_i);
      }
    }
  }
}

TEST(rounded_leaves_move_points_by_no_more_than_the_stated_bound) {
  // On a picture of one grey every tree ends in the same leaf, rounded or not: what is left is rounding alone.
  const std::vector<uint8_t> flat(static_cast<size_t>(kWidth) * kHeight, 90);
  const std::vector<double> boxes = {60, 50, 70, 70, 40, 30, 110, 90};
  for (const Counts& n : {Counts{68, 4, 40, 4, 60}, Counts{5, 2, 9, 2, 12}}) {
    ShapeModel m = make_model(n, n.points);
    for (float& v : m.deltas) v *= 0.1f;  // all features within the picture
    const auto whole = predictor(m), rounded = compact(m);
    const std::vector<double> a = predict(*whole, grey_view(flat), boxes),
                              b = predict(*rounded, grey_view(flat), boxes);
    double most = 0;
    for (size_t i = 0; i < a.size(); i += 2) {
      const double side = i < a.size() / 2 ? 70 : 110;
      most = std::max(most, std::hypot(a[i] - b[i], a[i + 1] - b[i + 1]) / side);
    }
    CHECK(most > 0);
    CHECK(most <= rounded->leaf_error() + 1e-6);  // and the rounding of floats
    CHECK(rounded->leaf_error() < 2e-5);
  }
}

TEST(compact_points_are_those_of_the_model_with_its_leaves_rounded) {
  const auto pixels = synthetic::make_picture(kWidth, kHeight, 6);
  const std::vector<double> boxes = make_boxes(30, 7);
  const ShapeModel m = make_model({68, 3, 25, 4, 60}, 8);
  const std::vector<double> a = predict(*predictor(m), grey_view(pixels), boxes),
                            b = predict(*compact(m), grey_view(pixels), boxes);
  size_t far = 0;
  for (size_t i = 0; i < a.size(); ++i) far += std::abs(a[i] - b[i]) > 0.01 ? 1 : 0;
  CHECK(far < a.size() / 20);  // a point on the edge of a pixel may see another pixel
}

TEST(every_pixel_format_is_read_as_its_grey_conversion) {
  const ShapeModel m = make_model({7, 3, 11, 3, 20}, 11);
  const auto p = predictor(m);
  const std::vector<double> boxes = {10, 8, 40, 44, -20, -20, 60, 60, 30.25, 20.5, 33.3, 28.1};
  uint32_t seed = 1;
  for (const PixelFormat format : reference::kFormats) {
    const auto image = reference::make_image(format, 73, 61, 5, seed++);
    std::vector<uint8_t> luma(converted_bytes(image.view, PixelFormat::kGray));
    CHECK(convert(image.view, PixelFormat::kGray, luma.data(), nullptr).ok());
    CHECK(predict(*p, image.view, boxes) == predict(*p, grey_view(luma, 73, 61), boxes));
    const int step = static_cast<int>(image.view.stride) / 73;
    if (step >= 3) {
      for (int y = 0; y < 61; ++y) {
        for (int x = 0; x < 73; ++x) {
          const uint8_t* in =
              image.view.data + static_cast<size_t>(y) * image.view.stride +
              static_cast<size_t>(x) * (format == PixelFormat::kRgb || format == PixelFormat::kBgr ? 3 : 4);
          luma[static_cast<size_t>(y) * 73 + static_cast<size_t>(x)] =
              static_cast<uint8_t>((in[0] + in[1] + in[2]) / 3);
        }
      }
    }
    CHECK(predict(*p, image.view, boxes, ShapeGrey::kMean) == predict(*p, grey_view(luma, 73, 61), boxes));
  }
}

TEST(moving_picture_and_box_moves_the_points) {
  const ShapeModel m = make_model({9, 3, 12, 3, 25}, 12);
  const auto p = predictor(m);
  const auto pixels = synthetic::make_picture(kWidth, kHeight, 13);
  std::vector<uint8_t> moved(pixels.size(), 0);
  const int dx = 13, dy = 7;
  for (int y = dy; y < kHeight; ++y) {
    for (int x = dx; x < kWidth; ++x) {
      moved[static_cast<size_t>(y) * kWidth + static_cast<size_t>(x)] =
          pixels[static_cast<size_t>(y - dy) * kWidth + static_cast<size_t>(x - dx)];
    }
  }
  const std::vector<double> a = predict(*p, grey_view(pixels), {50, 40, 60, 60});
  const std::vector<double> b = predict(*p, grey_view(moved), {63, 47, 60, 60});
  for (size_t i = 0; i < a.size(); i += 2) {
    CHECK_NEAR(b[i], a[i] + dx, 1e-4);
    CHECK_NEAR(b[i + 1], a[i + 1] + dy, 1e-4);
  }
}

TEST(the_unit_frame_lies_on_the_centres_of_the_corner_pixels) {
  ShapeModel m = make_model({2, 1, 1, 0, 1}, 1);
  m.initial = {0, 0, 1, 1};
  m.leaves.assign(m.leaves.size(), 0.0f);
  const std::vector<uint8_t> flat(static_cast<size_t>(kWidth) * kHeight, 90);
  const std::vector<double> found = predict(*predictor(m), grey_view(flat), {10, 20, 5, 8});
  const std::vector<double> expected = {10.5, 20.5, 14.5, 27.5};
  CHECK(found == expected);
}

TEST(impossible_boxes_are_refused_and_far_ones_are_not) {
  const auto p = predictor(make_model({7, 3, 11, 3, 20}, 14));
  const auto pixels = synthetic::make_picture(kWidth, kHeight, 15);
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  std::vector<double> out(p->model().values());
  const auto code = [&](std::vector<double> box) {
    return p->predict(grey_view(pixels), box.data(), 1, out.data(), ShapeGrey::kLuma, nullptr).code();
  };
  for (size_t i = 0; i < 4; ++i) {
    for (const double bad : {nan, inf, -inf, 1e10}) {
      std::vector<double> box = {10, 10, 50, 50};
      box[i] = bad;
      CHECK(code(box) == Code::kInvalidArgument);
    }
  }
  CHECK(code({10, 10, 0, 50}) == Code::kInvalidArgument);
  CHECK(code({10, 10, 50, -1}) == Code::kInvalidArgument);
  for (const std::vector<double>& box : {std::vector<double>{-5000, -5000, 60, 60},
                                         {1e9, -1e9, 1e9, 1e9},
                                         {3, 3, 0.25, 0.25},
                                         {100, 100, 1, 1},
                                         {-400, -300, 2000, 2000}}) {
    CHECK(code(box) == Code::kOk);
    for (const double v : out) CHECK(std::isfinite(v));
  }
  ImageView broken = grey_view(pixels);
  broken.size -= 1;
  const double box[] = {10, 10, 50, 50};
  CHECK(p->predict(broken, box, 1, out.data(), ShapeGrey::kLuma, nullptr).code() == Code::kInvalidArgument);
  CHECK(p->predict(grey_view(pixels), nullptr, 0, nullptr, ShapeGrey::kLuma, nullptr).ok());
}

TEST(many_faces_at_once_are_as_each_by_itself_on_any_number_of_threads) {
  const ShapeModel m = make_model({13, 3, 9, 3, 20}, 16);
  const auto pixels = synthetic::make_picture(kWidth, kHeight, 17);
  const std::vector<double> boxes = make_boxes(150, 18);
  for (const auto& p : {predictor(m), compact(m)}) {
    const std::vector<double> together = predict(*p, grey_view(pixels), boxes);
    std::vector<double> apart;
    for (size_t i = 0; i < boxes.size(); i += 4) {
      const std::vector<double> one =
          predict(*p, grey_view(pixels),
                  std::vector<double>(boxes.begin() + static_cast<long>(i), boxes.begin() + static_cast<long>(i) + 4));
      apart.insert(apart.end(), one.begin(), one.end());
    }
    CHECK(together == apart);
    Executor executor(3);
    std::vector<double> spread_out(together.size(), -1.0);
    const Status status = spread(executor, 7, [&](size_t part) {
      const size_t begin = 150 * part / 7, end = 150 * (part + 1) / 7;
      return p->predict(grey_view(pixels), boxes.data() + 4 * begin, end - begin,
                        spread_out.data() + begin * m.values(), ShapeGrey::kLuma, nullptr);
    });
    CHECK(status.ok());
    CHECK(spread_out == together);
  }
}

TEST(a_cancelled_prediction_ends) {
  const auto p = predictor(make_model({7, 3, 11, 3, 20}, 19));
  const auto pixels = synthetic::make_picture(kWidth, kHeight, 20);
  const std::vector<double> boxes = make_boxes(5, 21);
  std::vector<double> out(5 * p->model().values());
  CancelToken token;
  token.cancel();
  CHECK(p->predict(grey_view(pixels), boxes.data(), 5, out.data(), ShapeGrey::kLuma, &token).code() == Code::kAborted);
}

TEST(parts_run_once_each_and_the_first_failure_stops_the_rest) {
  Executor executor(3);
  std::vector<std::atomic<int>> seen(100);
  CHECK(spread(executor, 100, [&](size_t i) {
          ++seen[i];
          return Status();
        }).ok());
  for (const auto& n : seen) CHECK_EQ(n.load(), 1);
  // Every part from the fourth on fails: none of the three threads goes on behind its own failure.
  std::atomic<int> begun{0};
  const auto fail_late = [&](size_t i) {
    ++begun;
    return i < 3 ? Status() : Status(Code::kAborted, "late");
  };
  CHECK(spread(executor, 1000, fail_late).code() == Code::kAborted);
  CHECK(begun >= 4 && begun <= 3 + 3);
  CHECK(spread(executor, 0, [](size_t) { return Status(Code::kInternal, "never"); }).ok());
}

TEST(parts_asked_for_from_inside_the_pool_never_wait_for_it) {
  // Every thread of the pool spreads work over the pool: nobody is left to help, and all of it is done.
  Executor executor(2);
  std::atomic<int> done{0}, finished{0};
  for (int job = 0; job < 8; ++job) {
    executor.submit([&](bool run) {
      if (run) {
        CHECK(spread(executor, 20, [&](size_t) {
                ++done;
                return Status();
              }).ok());
      }
      ++finished;
    });
  }
  while (finished < 8) std::this_thread::yield();
  CHECK_EQ(done.load(), 160);
  executor.shutdown();
  std::atomic<int> alone{0};
  CHECK(spread(executor, 5, [&](size_t) {
          ++alone;
          return Status();
        }).ok());
  CHECK_EQ(alone.load(), 5);
  CHECK(spread(executor, 5, [&](size_t i) {
          ++alone;
          return i == 1 ? Status(Code::kAborted, "two") : Status();
        }).code() == Code::kAborted);
  CHECK_EQ(alone.load(), 5 + 2);
}

TEST_MAIN()
