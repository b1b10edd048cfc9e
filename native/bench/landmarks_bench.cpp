// The shape predictor against dlib's, on one thread, in turns, in one process; and the differences between their
// points. Prints one JSON object on stdout and a table on stderr.
//
// Usage: landmarks_bench FACES MODEL.dat COMPACT [rounds]
//   FACES      pictures and boxes: for each picture u32 width, height, count of boxes; boxes as count × 4 × i32
//              (x, y, w, h); width × height × RGB. Little-endian, one after another.
//   MODEL.dat  a dlib shape predictor
//   COMPACT    path of a file that is written: the same model in our format
// Or: landmarks_bench --points FACES MODEL.dat OUT writes dlib's points, before it rounds them, as doubles: for each
// face x, y of each point in dlib's frame, from the grey of the pictures.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/cpu.h"
#include "image/convert.h"
#include "landmarks/shape_predictor.h"

#ifdef LINEAMENT_WITH_DLIB
#include "bench/dlib_peer.h"
extern "C" const DlibPeer* lineament_dlib_o2();
extern "C" const DlibPeer* lineament_dlib_avx2();
extern "C" const DlibPeer* lineament_dlib_native();
#endif

using namespace lineament;

namespace {

using PredictorPtr = std::shared_ptr<const ShapePredictor>;

struct Picture {
  int width = 0, height = 0;
  std::vector<double> boxes;  // x, y, w, h
  std::vector<long> corners;  // left, top, right, bottom as dlib counts them
  std::vector<uint8_t> rgb, grey;
  size_t first = 0;  // number of its first face

  size_t count() const { return boxes.size() / 4; }
  ImageView grey_view() const {
    return {grey.data(), grey.size(), width, height, static_cast<size_t>(width), PixelFormat::kGray};
  }
  ImageView rgb_view() const {
    return {rgb.data(), rgb.size(), width, height, 3 * static_cast<size_t>(width), PixelFormat::kRgb};
  }
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "landmarks_bench: %s\n", why.c_str());
  std::exit(1);
}

std::vector<Picture> read_pictures(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<Picture> pictures;
  size_t faces = 0;
  for (;;) {
    uint32_t head[3];
    if (!file.read(reinterpret_cast<char*>(head), sizeof(head))) break;
    Picture p;
    p.width = static_cast<int>(head[0]);
    p.height = static_cast<int>(head[1]);
    p.first = faces;
    std::vector<int32_t> boxes(4 * size_t{head[2]});
    p.rgb.resize(3 * size_t{head[0]} * head[1]);
    file.read(reinterpret_cast<char*>(boxes.data()), static_cast<long>(boxes.size() * sizeof(int32_t)));
    if (!file.read(reinterpret_cast<char*>(p.rgb.data()), static_cast<long>(p.rgb.size()))) give_up("FACES is cut off");
    for (size_t i = 0; i < boxes.size(); i += 4) {
      const int32_t* b = boxes.data() + i;
      for (int k = 0; k < 4; ++k) p.boxes.push_back(b[k]);
      for (const int32_t v : {b[0], b[1], b[0] + b[2] - 1, b[1] + b[3] - 1}) p.corners.push_back(v);
    }
    p.grey.resize(p.rgb.size() / 3);
    if (!convert(p.rgb_view(), PixelFormat::kGray, p.grey.data(), nullptr).ok()) give_up("convert");
    faces += p.count();
    pictures.push_back(std::move(p));
  }
  if (faces == 0) give_up("FACES has no faces");
  return pictures;
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

double milliseconds(const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

PredictorPtr open_model(const std::string& path) {
  auto opened = ShapePredictor::open(path, nullptr);
  if (!opened.ok()) give_up(opened.status().message());
  return opened.value();
}

enum class Feed { kGrey, kLuma, kMean };

// All faces, one call for each (`together`: one call for each picture).
std::vector<double> predict(const ShapePredictor& p, const std::vector<Picture>& pictures, Feed feed, bool together) {
  const size_t values = p.model().values();
  std::vector<double> out;
  out.resize((pictures.back().first + pictures.back().count()) * values);
  for (const Picture& picture : pictures) {
    const ImageView view = feed == Feed::kGrey ? picture.grey_view() : picture.rgb_view();
    const ShapeGrey grey = feed == Feed::kMean ? ShapeGrey::kMean : ShapeGrey::kLuma;
    const size_t step = together ? picture.count() : 1;
    for (size_t i = 0; i < picture.count(); i += step) {
      if (!p.predict(view, picture.boxes.data() + 4 * i, step, out.data() + (picture.first + i) * values, grey, nullptr)
               .ok()) {
        give_up("predict");
      }
    }
  }
  return out;
}

struct Difference {
  double most = 0;            // px, length of (dx, dy)
  size_t faces_above = 0;     // with a point further off than 0.01 px
  std::vector<double> share;  // of the box's longer side, one for each point
  double quantile(double q) {
    std::sort(share.begin(), share.end());
    return share[std::min(share.size() - 1, static_cast<size_t>(q * static_cast<double>(share.size())))];
  }
};

Difference compare(const std::vector<Picture>& pictures, size_t values, const std::vector<double>& a,
                   const std::vector<double>& b) {
  Difference d;
  for (const Picture& picture : pictures) {
    for (size_t i = 0; i < picture.count(); ++i) {
      double most = 0;
      for (size_t k = 0; k < values; k += 2) {
        const size_t at = (picture.first + i) * values + k;
        const double off = std::hypot(a[at] - b[at], a[at + 1] - b[at + 1]);
        most = std::max(most, off);
        d.share.push_back(off / std::max(picture.boxes[4 * i + 2], picture.boxes[4 * i + 3]));
      }
      d.most = std::max(d.most, most);
      d.faces_above += most > 0.01 ? 1 : 0;
    }
  }
  return d;
}

struct Figures {
  bool first = true;
  void add(const std::string& id, double value, const char* unit, const char* goal, const char* better,
           const std::string& peer, const std::string& note) {
    std::printf(
        "%s\n  "
        "{\"id\":\"%s\",\"issue\":3,\"value\":%.6g,\"unit\":\"%s\",\"goal\":%s,\"better\":\"%s\",\"peer\":%s%s%s,"
        "\"note\":\"%s\"}",
        first ? "" : ",", id.c_str(), value, unit, goal, better, peer.empty() ? "null" : "\"", peer.c_str(),
        peer.empty() ? "" : "\"", note.c_str());
    first = false;
  }
};

std::string text(const char* format, auto... values) {
  char buffer[600];
  std::snprintf(buffer, sizeof(buffer), format, values...);
  return buffer;
}

// One contender: what it is called, and all faces once.
struct System {
  std::string name;
  std::function<void()> run;
  std::vector<double> times{};
};

#ifdef LINEAMENT_WITH_DLIB
void write_points(const char* faces, const char* model, const char* out) {
  const DlibPeer* peer = lineament_dlib_o2();
  void* parts = peer->open_parts(model);
  if (parts == nullptr) give_up(std::string("dlib cannot read ") + model);
  const size_t values = open_model(model)->model().values();
  std::ofstream file(out, std::ios::binary);
  for (const Picture& p : read_pictures(faces)) {
    void* image = peer->make_image(p.grey.data(), p.width, p.height, 1);
    std::vector<double> points(p.count() * values);
    peer->predict_parts(parts, image, p.corners.data(), p.count(), points.data());
    file.write(reinterpret_cast<const char*>(points.data()), static_cast<long>(points.size() * sizeof(double)));
    peer->free_image(image);
  }
  peer->close_parts(parts);
  if (!file.flush()) give_up(std::string("cannot write ") + out);
}
#endif

}  // namespace

int main(int argc, char** argv) {
#ifdef LINEAMENT_WITH_DLIB
  if (argc == 5 && std::strcmp(argv[1], "--points") == 0) {
    write_points(argv[2], argv[3], argv[4]);
    return 0;
  }
#endif
  if (argc < 4) give_up("usage: landmarks_bench FACES MODEL.dat COMPACT [rounds]");
  const int rounds = std::max(3, argc > 4 ? std::atoi(argv[4]) : 21);
  const std::vector<Picture> pictures = read_pictures(argv[1]);
  const std::string dlib_path = argv[2], compact_path = argv[3];
  const size_t faces = pictures.back().first + pictures.back().count();
  const PredictorPtr whole = open_model(dlib_path);
  if (!whole->save(compact_path, ShapeFormat::kCompact, nullptr).ok()) give_up("cannot write " + compact_path);
  const PredictorPtr compact = open_model(compact_path);
  const size_t values = whole->model().values();
  Figures figures;
  std::printf("{\"simd\":\"%s\",\"threads\":1,\"rounds\":%d,\"faces\":%zu,\"figures\":[", simd_name(active_simd()),
              rounds, faces);

  std::vector<System> systems;
  systems.push_back({"ours, dlib file", [&] { predict(*whole, pictures, Feed::kGrey, false); }});
  systems.push_back({"ours, compact", [&] { predict(*compact, pictures, Feed::kGrey, false); }});
  systems.push_back({"ours, dlib file, batched", [&] { predict(*whole, pictures, Feed::kGrey, true); }});
  systems.push_back({"ours, compact, batched", [&] { predict(*compact, pictures, Feed::kGrey, true); }});
  systems.push_back({"ours, compact, colour", [&] { predict(*compact, pictures, Feed::kLuma, false); }});
  const size_t ours = systems.size();

#ifdef LINEAMENT_WITH_DLIB
  const struct {
    const char* name;
    const DlibPeer* peer;
  } peers[] = {{"dlib -O2 (as Debian builds)", lineament_dlib_o2()},
               {"dlib -O3 -mavx2", lineament_dlib_avx2()},
               {"dlib -O3 -march=native", lineament_dlib_native()}};
  std::vector<long> rounded(faces * values);
  std::vector<std::vector<void*>> images(std::size(peers));
  for (size_t k = 0; k < std::size(peers); ++k) {
    const DlibPeer* peer = peers[k].peer;
    void* model = peer->open(dlib_path.c_str());
    if (model == nullptr) give_up("dlib cannot read " + dlib_path);
    for (const Picture& p : pictures) images[k].push_back(peer->make_image(p.grey.data(), p.width, p.height, 1));
    systems.push_back({peers[k].name, [&, peer, model, k] {
                         for (size_t i = 0; i < pictures.size(); ++i) {
                           peer->predict(model, images[k][i], pictures[i].corners.data(), pictures[i].count(),
                                         rounded.data() + pictures[i].first * values);
                         }
                       }});
  }
#endif

  for (int round = 0; round < rounds; ++round) {
    for (System& system : systems) system.times.push_back(milliseconds(system.run) * 1000 / static_cast<double>(faces));
  }
  for (System& s : systems) std::fprintf(stderr, "%-28s %9.1f us for a face\n", s.name.c_str(), median(s.times));
  const auto us = [&systems](size_t i) { return median(systems[i].times); };
  const std::string alone = text("%zu faces, one call each, one thread, median of %d rounds in turns", faces, rounds);

#ifdef LINEAMENT_WITH_DLIB
  size_t best = ours;
  for (size_t i = ours; i < systems.size(); ++i) best = us(i) < us(best) ? i : best;
  const std::string peer_name = "dlib 19.24";
  const auto against = [&](const char* id, size_t mine, const char* goal) {
    figures.add(id, us(best) / us(mine), "x", goal, "higher", peer_name,
                text("ours %.0f us; dlib %.0f us (-O2), %.0f us (-O3 -mavx2), %.0f us (-O3 -march=native), the fastest "
                     "counts; %s",
                     us(mine), us(ours), us(ours + 1), us(ours + 2), alone.c_str()));
  };
  against("landmarks.speed.dlib-file", 0, "4");
  against("landmarks.speed.compact", 1, "4");
#endif
  figures.add("landmarks.face.dlib-file", us(0), "us", "null", "lower", "", alone);
  figures.add("landmarks.face.compact", us(1), "us", "null", "lower", "", alone);
  figures.add("landmarks.face.dlib-file.batched", us(2), "us", "null", "lower", "",
              "all boxes of a picture in one call, one thread");
  figures.add("landmarks.face.compact.batched", us(3), "us", "null", "lower", "",
              "all boxes of a picture in one call, one thread");
  figures.add("landmarks.face.compact.colour", us(4), "us", "null", "lower", "",
              "from RGB pixels, luma taken where it is needed");

#ifdef LINEAMENT_WITH_DLIB
  {
    const DlibPeer* peer = peers[0].peer;
    void* parts = peer->open_parts(dlib_path.c_str());
    std::vector<double> exact(faces * values), colour(faces * values);
    std::vector<long> whole_pixels(faces * values);
    void* model = peer->open(dlib_path.c_str());
    for (size_t i = 0; i < pictures.size(); ++i) {
      const Picture& p = pictures[i];
      peer->predict(model, images[0][i], p.corners.data(), p.count(), whole_pixels.data() + p.first * values);
      peer->predict_parts(parts, images[0][i], p.corners.data(), p.count(), exact.data() + p.first * values);
      void* image = peer->make_image(p.rgb.data(), p.width, p.height, 3);
      peer->predict_parts(parts, image, p.corners.data(), p.count(), colour.data() + p.first * values);
      peer->free_image(image);
    }
    peer->close(model);
    peer->close_parts(parts);
    const auto shifted = [](std::vector<double> v) {  // from our frame to dlib's
      for (double& x : v) x -= 0.5;
      return v;
    };
    const std::vector<double> found = shifted(predict(*whole, pictures, Feed::kGrey, false));
    Difference same = compare(pictures, values, found, exact);
    figures.add("landmarks.equal", same.most, "px", "0.01", "lower", peer_name,
                text("largest distance from dlib's points before it rounds them to whole pixels, %zu faces, grey "
                     "pixels for both; %zu faces above 0.01",
                     faces, same.faces_above));
    size_t other = 0;
    for (size_t i = 0; i < found.size(); ++i)
      other += std::floor(found[i] + 0.5) == static_cast<double>(whole_pixels[i]) ? 0 : 1;
    figures.add("landmarks.equal.rounded", static_cast<double>(other), "coordinates", "0", "lower", peer_name,
                text("of %zu, that differ from shape_predictor's own after rounding as it does", found.size()));
    Difference of_colour = compare(pictures, values, shifted(predict(*whole, pictures, Feed::kMean, false)), colour);
    figures.add("landmarks.equal.colour", of_colour.most, "px", "0.01", "lower", peer_name,
                "the same for RGB pixels, ours set to the mean of the channels as dlib takes it");
    std::fprintf(stderr, "equal: %.3g px, rounded %zu others, colour %.3g px\n", same.most, other, of_colour.most);
    Difference luma = compare(pictures, values, shifted(predict(*whole, pictures, Feed::kLuma, false)), colour);
    figures.add("landmarks.luma", 100 * luma.quantile(0.5), "% of the box", "null", "lower", peer_name,
                text("median distance that luma instead of the mean of the channels makes on RGB pixels; 99th "
                     "percentile %.3g %%",
                     100 * luma.quantile(0.99)));
    for (size_t k = 0; k < std::size(peers); ++k) {
      for (void* image : images[k]) peers[k].peer->free_image(image);
    }
  }
#endif
  Difference rounding = compare(pictures, values, predict(*compact, pictures, Feed::kGrey, false),
                                predict(*whole, pictures, Feed::kGrey, false));
  figures.add("landmarks.compact.difference", 100 * rounding.quantile(0.5), "% of the box", "null", "lower", "",
              text("median distance between the points of the compact and of the dlib file; 99th percentile %.3g %%, "
                   "largest %.3g %% (%.3g px)",
                   100 * rounding.quantile(0.99), 100 * rounding.quantile(1), rounding.most));
  std::vector<Picture> nudged = pictures;
  for (Picture& p : nudged) {
    for (size_t i = 0; i < p.boxes.size(); i += 4) p.boxes[i] += 0.01;
  }
  std::vector<double> moved = predict(*whole, nudged, Feed::kGrey, false);
  for (size_t i = 0; i < moved.size(); i += 2) moved[i] -= 0.01;
  Difference nudge = compare(pictures, values, moved, predict(*whole, pictures, Feed::kGrey, false));
  figures.add(
      "landmarks.sensitivity", 100 * nudge.quantile(0.5), "% of the box", "null", "lower", "",
      text("what moving the box by 0.01 px changes with the dlib file: median; 99th percentile %.3g %%, largest "
           "%.3g %%: trees that see another pixel, with any predictor",
           100 * nudge.quantile(0.99), 100 * nudge.quantile(1)));
  figures.add("landmarks.compact.leafError", 100 * compact->leaf_error(), "% of the box", "null", "lower", "",
              "stated bound of what rounding the leaves moves a point by while it sees the same pixels");
  std::fprintf(stderr, "compact: median %.3g %%, 99 %% %.3g %%, most %.3g px\n", 100 * rounding.quantile(0.5),
               100 * rounding.quantile(0.99), rounding.most);

  // Loading, in turns; the files are in the page cache for all.
  std::vector<double> loads[4];
  std::vector<double> first(values);
  for (int round = 0; round < std::max(3, rounds / 4); ++round) {
    loads[0].push_back(milliseconds([&] { open_model(compact_path); }));
    loads[1].push_back(milliseconds([&] {
      const PredictorPtr p = open_model(compact_path);
      if (!p->predict(pictures[0].grey_view(), pictures[0].boxes.data(), 1, first.data(), ShapeGrey::kLuma, nullptr)
               .ok())
        give_up("predict");
    }));
    loads[2].push_back(milliseconds([&] { open_model(dlib_path); }));
#ifdef LINEAMENT_WITH_DLIB
    void* model = nullptr;
    loads[3].push_back(milliseconds([&] { model = peers[1].peer->open(dlib_path.c_str()); }));
    peers[1].peer->close(model);
#endif
  }
  const double load = median(loads[0]), load_first = median(loads[1]), load_dlib_file = median(loads[2]);
#ifdef LINEAMENT_WITH_DLIB
  const double theirs = median(loads[3]);
  figures.add("landmarks.load", theirs / load, "x", "20", "higher", peer_name,
              text("opening the compact file %.2f ms, dlib deserialising its own %.0f ms; files in the page cache",
                   load, theirs));
  figures.add("landmarks.load.firstFace", theirs / load_first, "x", "null", "higher", peer_name,
              text("opening the compact file and the first face %.2f ms, dlib's deserialising alone %.0f ms",
                   load_first, theirs));
  figures.add("landmarks.load.dlib-file", theirs / load_dlib_file, "x", "null", "higher", peer_name,
              text("the same dlib file: ours %.0f ms, dlib %.0f ms", load_dlib_file, theirs));
  std::fprintf(stderr, "dlib loads in %.1f ms\n", theirs);
#endif
  figures.add("landmarks.load.compact", load, "ms", "null", "lower", "", "opening the compact file");
  std::fprintf(stderr, "load: compact %.2f ms (with a face %.2f ms), dlib file %.1f ms\n", load, load_first,
               load_dlib_file);

  const auto size = [](const std::string& path) {
    return static_cast<double>(std::filesystem::file_size(path)) / (1 << 20);
  };
  figures.add("landmarks.size.dlib-file", size(dlib_path), "MiB", "null", "lower", "",
              text("%zu bytes in memory", whole->bytes()));
  figures.add("landmarks.size.compact", size(compact_path), "MiB", "null", "lower", "",
              text("%zu bytes in memory or mapped", compact->bytes()));
  std::printf("\n]}\n");
  return 0;
}
