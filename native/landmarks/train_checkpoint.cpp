#include "landmarks/train_checkpoint.h"

#include <cstring>
#include <filesystem>
#include <system_error>

#include "core/atomic_file.h"
#include "core/mapped_file.h"
#include "landmarks/shape_check.h"

// In the order of bytes of the machine that wrote it, which the magic number shows:
//   u32 magic, version; u64 mark; u32 points, trees, depth, features, cascades, 0
//   initial, anchors, deltas, splits, leaves as in ShapeModel
//   u64 hash of all before
namespace lineament {
namespace {

constexpr uint32_t kMagic = 0x5054434c;  // "LCTP" where the least significant byte comes first
constexpr uint32_t kVersion = 1;

// Four sums side by side, for speed. Tells data apart; it is no protection against forgery.
class Hash {
 public:
  void add(const void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    uint64_t words[4];
    for (; size >= sizeof words; size -= sizeof words, bytes += sizeof words) {
      std::memcpy(words, bytes, sizeof words);
      mix(words);
    }
    std::memset(words, 0, sizeof words);
    if (size > 0) std::memcpy(words, bytes, size);
    words[3] ^= static_cast<uint64_t>(size) << 56;
    mix(words);
  }
  template <typename T>
  void add(T value) {
    add(&value, sizeof value);
  }

  uint64_t value() const {
    uint64_t out = 0;
    for (const uint64_t lane : lanes_) out = (out ^ lane ^ lane >> 29) * 0xbf58476d1ce4e5b9;
    return out ^ out >> 32;
  }

 private:
  void mix(const uint64_t* words) {
    for (int i = 0; i < 4; ++i) {
      lanes_[i] = (lanes_[i] ^ words[i]) * 0x9e3779b97f4a7c15;
      lanes_[i] = lanes_[i] << 31 | lanes_[i] >> 33;
    }
  }

  uint64_t lanes_[4] = {1, 2, 3, 4};
};

struct Header {
  uint32_t magic, version;
  uint64_t mark;
  uint32_t points, trees, depth, features, cascades, none;
};
static_assert(sizeof(Header) == 40 && sizeof(ShapeSplit) == 8);

// Calls `use` with every array of a model in the order of the file.
template <typename Model, typename Use>
void each_array(Model& model, const Use& use) {
  use(model.initial);
  use(model.anchors);
  use(model.deltas);
  use(model.splits);
  use(model.leaves);
}

Status damaged(const std::string& path) {
  return Status(Code::kModelCorrupt, "The checkpoint " + path + " is damaged: delete it to begin anew");
}

}  // namespace

uint64_t training_mark(const ShapeTrainingSet& set, const ShapeTrainingOptions& options) {
  Hash hash;
  hash.add(options.tree_depth);
  hash.add(options.trees_per_cascade);
  hash.add(options.nu);
  hash.add(options.oversampling);
  hash.add(options.oversampling_translation_jitter);
  hash.add(options.feature_pool_size);
  hash.add(options.lambda);
  hash.add(options.test_splits);
  hash.add(options.feature_pool_region_padding);
  hash.add(static_cast<uint32_t>(options.box_padding));
  hash.add(static_cast<uint64_t>(options.seed.size()));
  hash.add(options.seed.data(), options.seed.size());
  for (const ImageView& image : set.images) {
    hash.add(image.width);
    hash.add(image.height);
    hash.add(static_cast<uint64_t>(image.stride));
    hash.add(static_cast<uint32_t>(image.format));
    hash.add(image.data, image.size);
  }
  hash.add(static_cast<uint64_t>(set.image_of.size()));
  hash.add(set.image_of.data(), set.image_of.size() * sizeof(uint32_t));
  hash.add(set.boxes.data(), set.boxes.size() * sizeof(double));
  for (const double value : set.points) hash.add(value == value ? value : -1e300);  // NaN has many forms
  return hash.value();
}

Status write_training_checkpoint(const std::string& path, uint64_t mark, const ShapeModel& model) {
  const Header header{kMagic,         kVersion,       mark, model.points, model.trees, model.depth,
                      model.features, model.cascades, 0};
  Hash hash;
  AtomicFile file(path);
  const auto put = [&](const void* data, size_t size) {
    hash.add(data, size);
    file.write(data, size);
  };
  put(&header, sizeof header);
  each_array(model, [&](const auto& array) { put(array.data(), array.size() * sizeof array[0]); });
  const uint64_t sum = hash.value();
  file.write(&sum, sizeof sum);
  return file.commit();
}

Status read_training_checkpoint(const std::string& path, uint64_t mark, uint32_t most, ShapeModel* model) {
  model->cascades = 0;
  std::error_code failure;
  const bool there = std::filesystem::exists(std::filesystem::path(std::u8string(path.begin(), path.end())), failure);
  if (failure)
    return Status(Code::kInvalidArgument, "Cannot look at the checkpoint " + path + ": " + failure.message());
  if (!there) return Status();
  Result<MappedFile> mapped = MappedFile::open(path);
  if (!mapped.ok()) return damaged(path);
  const uint8_t* bytes = mapped.value().data();
  const size_t size = mapped.value().size();
  Header header;
  if (size < sizeof header + sizeof(uint64_t)) return damaged(path);
  std::memcpy(&header, bytes, sizeof header);
  if (header.magic != kMagic) return damaged(path);
  if (header.version != kVersion) {
    return Status(
        Code::kInvalidArgument,
        "The checkpoint " + path + " was written by another version of the library: " + "delete it to begin anew");
  }
  if (header.mark != mark || header.points != model->points || header.trees != model->trees ||
      header.depth != model->depth || header.features != model->features) {
    return Status(Code::kInvalidArgument, "The checkpoint " + path +
                                              " belongs to a training with other data or options: " +
                                              "name another file, or delete it to begin anew");
  }
  if (header.cascades == 0) return Status();  // written before the first cascade was done
  ShapeModel found = *model;
  found.cascades = header.cascades;
  if (!check_shape_counts(found.points, found.cascades, found.trees, found.depth, found.features).ok()) {
    return damaged(path);
  }
  const size_t features = size_t{found.cascades} * found.features, trees = size_t{found.cascades} * found.trees;
  const size_t expected =
      sizeof header + found.values() * sizeof(float) + features * (sizeof(uint16_t) + 2 * sizeof(float)) +
      trees *
          (found.splits_per_tree() * sizeof(ShapeSplit) + found.leaves_per_tree() * found.values() * sizeof(float)) +
      sizeof(uint64_t);
  if (size != expected) return damaged(path);
  found.initial.resize(found.values());
  found.anchors.resize(features);
  found.deltas.resize(2 * features);
  found.splits.resize(trees * found.splits_per_tree());
  found.leaves.resize(trees * found.leaves_per_tree() * found.values());
  Hash hash;
  hash.add(&header, sizeof header);
  size_t at = sizeof header;
  each_array(found, [&](auto& array) {
    const size_t length = array.size() * sizeof array[0];
    std::memcpy(static_cast<void*>(array.data()), bytes + at, length);
    hash.add(array.data(), length);
    at += length;
  });
  uint64_t sum = 0;
  std::memcpy(&sum, bytes + at, sizeof sum);
  if (sum != hash.value() || !check_shape_model(found, true).ok()) return damaged(path);
  if (found.cascades > most) {
    found.cascades = most;
    found.anchors.resize(size_t{most} * found.features);
    found.deltas.resize(2 * found.anchors.size());
    found.splits.resize(size_t{most} * found.trees * found.splits_per_tree());
    found.leaves.resize(size_t{most} * found.trees * found.leaves_per_tree() * found.values());
  }
  *model = std::move(found);
  return Status();
}

}  // namespace lineament
