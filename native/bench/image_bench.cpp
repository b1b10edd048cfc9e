// Image kernels against OpenCV's equivalent sequence on one thread and against the memory traffic they cannot avoid.
// Ours, the peer and the floor are measured in turns; the figures are medians. Prints one JSON object on stdout and a
// table on stderr. Usage: image_bench [rounds] [part of a case's name]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#ifdef LINEAMENT_WITH_OPENCV
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#endif

#include "core/aligned.h"
#include "core/cpu.h"
#include "image/convert.h"
#include "image/kernels_select.h"
#include "image/sample.h"
#include "image/statistics.h"
#include "image/warp.h"
#include "tests/image/reference.h"

using namespace lineament;
using reference::make_image;

namespace {

volatile uint64_t g_sink = 0;

// Reads every byte once.
void touch(const uint8_t* p, size_t size) {
  uint64_t a = 0, b = 0, c = 0, d = 0;
  size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    uint64_t v[4];
    std::memcpy(v, p + i, 32);
    a ^= v[0], b ^= v[1], c ^= v[2], d ^= v[3];
  }
  g_sink = g_sink + (a ^ b ^ c ^ d);
}

struct Case {
  std::string name;
  std::string peer;  // what the peer does
  size_t read = 0;   // bytes of the source that have to be read
  size_t write = 0;  // bytes of the result
  const uint8_t* source = nullptr;
  std::function<void()> ours;
  std::function<void()> theirs;
  std::function<double()> error;  // largest difference from the reference in levels of 255
};

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// Microseconds per call, enough calls to fill about a millisecond.
double time_us(const std::function<void()>& f, int calls) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) f();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() / calls;
}

AlignedBuffer<uint8_t> g_out(64u << 20), g_floor_out(64u << 20);

// Tensors: scale 1/127.5 and offset -1 for every channel, so that the peer needs one pass for it.
TensorSpec tensor_spec(int w, int h, TensorType type) {
  TensorSpec spec;
  spec.width = w;
  spec.height = h;
  spec.type = type;
  spec.layout = type == TensorType::kFloat32 ? Layout::kNchw : Layout::kNhwc;
  if (type == TensorType::kFloat32) {
    for (float& s : spec.scale) s = 1 / 127.5f;
    for (float& o : spec.offset) o = -1;
  }
  return spec;
}

double tensor_error(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling) {
  const auto expected = reference::tensor(image, region, spec, sampling, false);
  if (!sample_to_tensor(image, region, spec, sampling, false, g_out.data(), nullptr).ok()) return 1e9;
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    double v = g_out[i];
    if (spec.type == TensorType::kFloat32) {
      float f;
      std::memcpy(&f, g_out.data() + 4 * i, 4);
      v = (static_cast<double>(f) + 1) * 127.5;
    }
    worst = std::max(worst, std::fabs(v - expected[i]));
  }
  return worst;
}

Case sample_case(std::string name, const ImageView& image, const Region& region, const TensorSpec& spec,
                 const Sampling& sampling) {
  Case c;
  c.name = std::move(name);
  c.source = image.data;
  c.read = image.size;
  c.write = item_elements(spec) * (spec.type == TensorType::kFloat32 ? 4 : 1);
  c.ours = [=] {
    if (!sample_to_tensor(image, region, spec, sampling, false, g_out.data(), nullptr).ok()) std::abort();
  };
  c.error = [=] { return tensor_error(image, region, spec, sampling); };
  return c;
}

Case convert_case(std::string name, const ImageView& image, PixelFormat format) {
  Case c;
  c.name = std::move(name);
  c.source = image.data;
  c.read = image.size;
  c.write = converted_bytes(image, format);
  c.ours = [=] {
    if (!convert(image, format, g_out.data(), nullptr).ok()) std::abort();
  };
  c.error = [=] {
    c.ours();
    double worst = 0;
    const uint8_t* p = g_out.data();
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const auto e = reference::colour_at(image, x, y, false);
        for (size_t k = 0; k < 3; ++k) worst = std::max(worst, std::fabs(*p++ - e[k]));
      }
    }
    return worst;
  };
  return c;
}

#ifdef LINEAMENT_WITH_OPENCV
cv::Mat wrap(const ImageView& image, int type) {
  return cv::Mat(image.height, image.width, type, const_cast<uint8_t*>(image.data), image.stride);
}

// RGB bytes to a planar float tensor, everything preallocated.
struct ToTensor {
  cv::Mat floats;
  std::vector<cv::Mat> planes;
  std::vector<float> memory;
  void operator()(const cv::Mat& rgb) {
    const size_t plane = rgb.total();
    if (memory.size() != 3 * plane) {
      memory.resize(3 * plane);
      planes.clear();
      for (size_t c = 0; c < 3; ++c) planes.emplace_back(rgb.rows, rgb.cols, CV_32F, memory.data() + c * plane);
    }
    rgb.convertTo(floats, CV_32F, 1 / 127.5, -1);
    cv::split(floats, planes);
  }
};
#endif

Region similarity(double scale, double angle, double cx, double cy, int size) {
  const double c = scale * std::cos(angle), s = scale * std::sin(angle);
  return {c, -s, cx - (c - s) * size / 2, s, c, cy - (s + c) * size / 2};
}

std::vector<Case> make_cases() {
  // Kept for the life of the program.
  static const auto hd = make_image(PixelFormat::kBgr, 1280, 720, 0, 1),
                    vga = make_image(PixelFormat::kBgr, 640, 480, 0, 2);
  static const auto large = make_image(PixelFormat::kBgr, 1920, 1280, 0, 3),
                    nv12 = make_image(PixelFormat::kNv12, 1280, 720, 0, 4);
  static const auto yuyv = make_image(PixelFormat::kYuyv, 1280, 720, 0, 5),
                    i420 = make_image(PixelFormat::kI420, 1280, 720, 0, 6);
  const Sampling area{Filter::kArea, Border::kZero}, linear{Filter::kBilinear, Border::kZero};
  std::vector<Case> cases;

  const auto resize_case = [&](const char* name, const ImageView& im, int w, int h, const Sampling& sampling) {
    Case c = sample_case(name, im, {static_cast<double>(im.width) / w, 0, 0, 0, static_cast<double>(im.height) / h, 0},
                         tensor_spec(w, h, TensorType::kFloat32), sampling);
#ifdef LINEAMENT_WITH_OPENCV
    const bool is_area = sampling.filter == Filter::kArea;
    c.peer = std::string("resize(") + (is_area ? "INTER_AREA" : "INTER_LINEAR") + ") + cvtColor + convertTo + split";
    c.theirs = [=, small = cv::Mat(), rgb = cv::Mat(), pack = ToTensor()]() mutable {
      cv::resize(wrap(im, CV_8UC3), small, cv::Size(w, h), 0, 0, is_area ? cv::INTER_AREA : cv::INTER_LINEAR);
      cv::cvtColor(small, rgb, cv::COLOR_BGR2RGB);
      pack(rgb);
    };
#endif
    cases.push_back(std::move(c));
  };
  const auto letterbox_peer = [&](Case* c, auto to_bgr, bool swap) {
    (void)c, (void)to_bgr, (void)swap;
#ifdef LINEAMENT_WITH_OPENCV
    c->peer = std::string(swap ? "" : "cvtColor(NV12) + ") + "resize(INTER_AREA) + copyMakeBorder" +
              (swap ? " + cvtColor" : "") + " + convertTo + split";
    c->theirs = [=, full = cv::Mat(), small = cv::Mat(), boxed = cv::Mat(), rgb = cv::Mat(),
                 pack = ToTensor()]() mutable {
      to_bgr(&full);
      cv::resize(full, small, cv::Size(640, 360), 0, 0, cv::INTER_AREA);
      cv::copyMakeBorder(small, boxed, 140, 140, 0, 0, cv::BORDER_CONSTANT, cv::Scalar());
      if (swap) cv::cvtColor(boxed, rgb, cv::COLOR_BGR2RGB);
      pack(swap ? rgb : boxed);
    };
#endif
  };

  Case letterbox = sample_case("letterbox720pTo640", hd.view, {2, 0, 0, 0, 2, -280},
                               tensor_spec(640, 640, TensorType::kFloat32), area);
  Case camera = sample_case("letterboxNv12To640", nv12.view, {2, 0, 0, 0, 2, -280},
                            tensor_spec(640, 640, TensorType::kFloat32), area);
#ifdef LINEAMENT_WITH_OPENCV
  letterbox_peer(
      &letterbox, [](cv::Mat* m) { *m = wrap(hd.view, CV_8UC3); }, true);
  letterbox_peer(
      &camera,
      [](cv::Mat* m) {
        cv::cvtColor(cv::Mat(1080, 1280, CV_8UC1, const_cast<uint8_t*>(nv12.view.data)), *m, cv::COLOR_YUV2RGB_NV12);
      },
      false);
#else
  (void)letterbox_peer;
#endif
  cases.push_back(std::move(letterbox));
  cases.push_back(std::move(camera));
  resize_case("resizeVgaTo512x384", vga.view, 512, 384, area);
  resize_case("resizeVgaTo512x384Bilinear", vga.view, 512, 384, linear);
  resize_case("resize1920x1280To512x341", large.view, 512, 341, area);
  resize_case("enlargeVgaTo1024x768", vga.view, 1024, 768, linear);

  for (const int size : {112, 150, 224}) {
    const Region r = similarity(160.0 / size, 0.2, 320, 240, size);
    Case c =
        sample_case("chip" + std::to_string(size), vga.view, r, tensor_spec(size, size, TensorType::kUint8), linear);
    c.read = static_cast<size_t>(160 * 160 * 3);
    c.source = vga.view.data + 160 * vga.view.stride;
    Case t = sample_case("chip" + std::to_string(size) + "Tensor", vga.view, r,
                         tensor_spec(size, size, TensorType::kFloat32), linear);
    t.read = c.read;
    t.source = c.source;
#ifdef LINEAMENT_WITH_OPENCV
    // OpenCV counts pixel centres as whole numbers.
    const cv::Mat m =
        (cv::Mat_<double>(2, 3) << r.a, r.b, r.c + (r.a + r.b) / 2 - 0.5, r.d, r.e, r.f + (r.d + r.e) / 2 - 0.5);
    const auto chip = [m, size](cv::Mat* out, cv::Mat* bgr) {
      cv::warpAffine(wrap(vga.view, CV_8UC3), *bgr, m, cv::Size(size, size), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                     cv::BORDER_CONSTANT);
      cv::cvtColor(*bgr, *out, cv::COLOR_BGR2RGB);
    };
    c.peer = "warpAffine(INTER_LINEAR) + cvtColor";
    c.theirs = [chip, out = cv::Mat(), bgr = cv::Mat()]() mutable { chip(&out, &bgr); };
    t.peer = "warpAffine(INTER_LINEAR) + cvtColor + convertTo + split";
    t.theirs = [chip, out = cv::Mat(), bgr = cv::Mat(), pack = ToTensor()]() mutable {
      chip(&out, &bgr);
      pack(out);
    };
#endif
    cases.push_back(std::move(c));
    cases.push_back(std::move(t));
  }

  cases.push_back(convert_case("nv12ToRgb720p", nv12.view, PixelFormat::kRgb));
  cases.push_back(convert_case("i420ToRgb720p", i420.view, PixelFormat::kRgb));
  cases.push_back(convert_case("yuyvToRgb720p", yuyv.view, PixelFormat::kRgb));
  cases.push_back(convert_case("bgrToRgb720p", hd.view, PixelFormat::kRgb));
#ifdef LINEAMENT_WITH_OPENCV
  const auto colour = [&](size_t back, const cv::Mat& in, int code) {
    Case& c = cases[cases.size() - back];
    c.peer = "cvtColor";
    c.theirs = [in, code, out = cv::Mat()]() mutable { cv::cvtColor(in, out, code); };
  };
  colour(4, cv::Mat(1080, 1280, CV_8UC1, const_cast<uint8_t*>(nv12.view.data)), cv::COLOR_YUV2RGB_NV12);
  colour(3, cv::Mat(1080, 1280, CV_8UC1, const_cast<uint8_t*>(i420.view.data)), cv::COLOR_YUV2RGB_I420);
  colour(2, wrap(yuyv.view, CV_8UC2), cv::COLOR_YUV2RGB_YUYV);
  colour(1, wrap(hd.view, CV_8UC3), cv::COLOR_BGR2RGB);
#endif

  for (const bool whole : {false, true}) {
    Case c;
    const int x = whole ? 0 : 240, y = whole ? 0 : 160, w = whole ? 640 : 160, h = whole ? 480 : 160;
    c.name = whole ? "sharpnessVga" : "sharpness160";
    c.source = vga.view.data;
    c.read = static_cast<size_t>(w) * static_cast<size_t>(h) * 3;
    c.ours = [=] {
      Statistics s;
      if (!statistics(vga.view, x, y, w, h, &s, nullptr).ok()) std::abort();
      g_sink = g_sink + static_cast<uint64_t>(s.laplacian_variance);
    };
#ifdef LINEAMENT_WITH_OPENCV
    c.peer = "cvtColor(GRAY) + Laplacian(CV_16S) + meanStdDev of both (ours also counts under- and overexposure)";
    c.theirs = [=, gray = cv::Mat(), edges = cv::Mat()]() mutable {
      cv::cvtColor(wrap(vga.view, CV_8UC3)(cv::Rect(x, y, w, h)), gray, cv::COLOR_BGR2GRAY);
      cv::Laplacian(gray, edges, CV_16S, 1);
      cv::Scalar mean, deviation;
      cv::meanStdDev(edges, mean, deviation);
      g_sink = g_sink + static_cast<uint64_t>(deviation[0]);
      cv::meanStdDev(gray, mean, deviation);
      g_sink = g_sink + static_cast<uint64_t>(deviation[0]);
    };
#endif
    cases.push_back(std::move(c));
  }
  return cases;
}

struct Figures {
  bool first = true;
  void add(const std::string& id, double value, const char* unit, double goal, const char* better,
           const std::string& peer, const std::string& note) {
    std::printf("%s\n  {\"id\":\"%s\",\"issue\":2,\"value\":%.4g,\"unit\":\"%s\",\"goal\":%g,\"better\":\"%s\"",
                first ? "" : ",", id.c_str(), value, unit, goal, better);
    if (!peer.empty()) std::printf(",\"peer\":\"%s\"", peer.c_str());
    std::printf(",\"note\":\"%s\"}", note.c_str());
    first = false;
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int rounds = std::max(3, argc > 1 ? std::atoi(argv[1]) : 41);
  const std::string filter = argc > 2 ? argv[2] : "";
  std::string peer_name;
#ifdef LINEAMENT_WITH_OPENCV
  cv::setNumThreads(1);
  peer_name = std::string("OpenCV ") + CV_VERSION;
#endif
  std::memset(g_out.data(), 1, g_out.size());
  std::memset(g_floor_out.data(), 1, g_floor_out.size());
  Figures figures;
  double worst_error = 0;
  std::printf("{\"simd\":\"%s\",\"threads\":1,\"rounds\":%d,\"figures\":[", simd_name(active_simd()), rounds);
  std::fprintf(stderr, "%-28s %10s %10s %10s %10s %8s %8s %7s\n", "case", "ours us", "scalar us", "peer us", "floor us",
               "peer/us", "us/floor", "error");
  for (Case& c : make_cases()) {
    if (c.name.find(filter) == std::string::npos) continue;
    const std::function<void()> floor = [&] {
      touch(c.source, c.read);
      std::memset(g_floor_out.data(), static_cast<int>(g_sink & 1), c.write);
    };
    const int calls = std::max(1, static_cast<int>(1000 / std::max(1.0, time_us(c.ours, 3))));
    std::vector<double> ours, theirs, floors, plain;
    for (int i = 0; i < rounds; ++i) {
      ours.push_back(time_us(c.ours, calls));
      if (c.theirs) theirs.push_back(time_us(c.theirs, calls));
      floors.push_back(time_us(floor, calls));
      if (i % 4 == 0) {
        force_image_simd(Simd::kScalar);
        plain.push_back(time_us(c.ours, 1));
        force_image_simd(active_simd() == Simd::kAvx512 ? Simd::kAvx2 : active_simd());
      }
    }
    const double a = median(ours), p = c.theirs ? median(theirs) : 0, f = median(floors);
    const double error = c.error ? c.error() : 0;
    worst_error = std::max(worst_error, error);
    std::fprintf(stderr, "%-28s %10.1f %10.1f %10.1f %10.1f %8.2f %8.2f %7.3f\n", c.name.c_str(), a, median(plain), p,
                 f, p / a, a / f, error);
    char note[400];
    if (c.theirs) {
      std::snprintf(note, sizeof(note), "ours %.1f us, %s %.1f us, one thread each", a, c.peer.c_str(), p);
      figures.add("kernels." + c.name + ".ratioVsOpenCV", p / a, "x", 2, "higher", peer_name, note);
    }
    std::snprintf(note, sizeof(note), "ours %.1f us, reading %zu and writing %zu bytes %.1f us", a, c.read, c.write, f);
    figures.add("kernels." + c.name + ".ratioVsBandwidthFloor", a / f, "x", 2, "lower", "", note);
  }
  figures.add("kernels.maxLsbError", worst_error, "levels", 1, "lower", "",
              "largest difference from a plain double-precision reference over the cases above, of 255");
  std::printf("\n]}\n");
  return 0;
}
