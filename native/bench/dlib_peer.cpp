// One build of dlib's shape_predictor. LINEAMENT_PEER is the name of the function that gives it.
#include "bench/dlib_peer.h"

#include <dlib/array2d.h>
#include <dlib/image_processing/shape_predictor.h>
#include <dlib/pixel.h>

#include <fstream>
#include <memory>
#include <vector>

namespace {

struct Image {
  dlib::array2d<unsigned char> grey;
  dlib::array2d<dlib::rgb_pixel> colour;
};

struct Parts {
  dlib::matrix<float, 0, 1> initial;
  std::vector<std::vector<dlib::impl::regression_tree>> forests;
  std::vector<std::vector<unsigned long>> anchors;
  std::vector<std::vector<dlib::vector<float, 2>>> deltas;
};

dlib::rectangle rectangle_at(const long* box) { return {box[0], box[1], box[2], box[3]}; }

void* open(const char* path) {
  auto model = std::make_unique<dlib::shape_predictor>();
  try {
    dlib::deserialize(path) >> *model;
  } catch (...) {
    return nullptr;
  }
  return model.release();
}

void close(void* model) { delete static_cast<dlib::shape_predictor*>(model); }
int points(void* model) { return static_cast<int>(static_cast<dlib::shape_predictor*>(model)->num_parts()); }

template <typename Pixels>
void predict_on(const dlib::shape_predictor& model, const Pixels& pixels, const long* boxes, size_t count, long* out) {
  for (size_t i = 0; i < count; ++i) {
    const dlib::full_object_detection found = model(pixels, rectangle_at(boxes + 4 * i));
    for (unsigned long k = 0; k < found.num_parts(); ++k) {
      *out++ = found.part(k).x();
      *out++ = found.part(k).y();
    }
  }
}

void predict(void* model, void* image, const long* boxes, size_t count, long* out) {
  const auto& picture = *static_cast<Image*>(image);
  const auto& predictor = *static_cast<dlib::shape_predictor*>(model);
  if (picture.grey.size() > 0) {
    predict_on(predictor, picture.grey, boxes, count, out);
  } else {
    predict_on(predictor, picture.colour, boxes, count, out);
  }
}

void* open_parts(const char* path) {
  auto parts = std::make_unique<Parts>();
  try {
    std::ifstream file(path, std::ios::binary);
    int version = 0;
    dlib::deserialize(version, file);
    dlib::deserialize(parts->initial, file);
    dlib::deserialize(parts->forests, file);
    dlib::deserialize(parts->anchors, file);
    dlib::deserialize(parts->deltas, file);
  } catch (...) {
    return nullptr;
  }
  return parts.release();
}

void close_parts(void* parts) { delete static_cast<Parts*>(parts); }

template <typename Pixels>
void predict_parts_on(const Parts& parts, const Pixels& pixels, const long* boxes, size_t count, double* out) {
  std::vector<float> features;
  for (size_t i = 0; i < count; ++i) {
    const dlib::rectangle box = rectangle_at(boxes + 4 * i);
    dlib::matrix<float, 0, 1> shape = parts.initial;
    for (size_t c = 0; c < parts.forests.size(); ++c) {
      dlib::impl::extract_feature_pixel_values(pixels, box, shape, parts.initial, parts.anchors[c], parts.deltas[c],
                                               features);
      unsigned long leaf = 0;
      for (const auto& tree : parts.forests[c]) shape += tree(features, leaf);
    }
    const auto to_image = dlib::impl::unnormalizing_tform(box);
    for (long k = 0; k < shape.size() / 2; ++k) {
      const dlib::vector<double, 2> point = to_image(dlib::impl::location(shape, static_cast<unsigned long>(k)));
      *out++ = point.x();
      *out++ = point.y();
    }
  }
}

void predict_parts(void* parts, void* image, const long* boxes, size_t count, double* out) {
  const auto& picture = *static_cast<Image*>(image);
  if (picture.grey.size() > 0) {
    predict_parts_on(*static_cast<Parts*>(parts), picture.grey, boxes, count, out);
  } else {
    predict_parts_on(*static_cast<Parts*>(parts), picture.colour, boxes, count, out);
  }
}

void* make_image(const uint8_t* pixels, int width, int height, int pixel) {
  auto image = std::make_unique<Image>();
  if (pixel == 1) {
    image->grey.set_size(height, width);
  } else {
    image->colour.set_size(height, width);
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x, pixels += pixel) {
      if (pixel == 1) {
        image->grey[y][x] = *pixels;
      } else {
        image->colour[y][x] = dlib::rgb_pixel(pixels[0], pixels[1], pixels[2]);
      }
    }
  }
  return image.release();
}

void free_image(void* image) { delete static_cast<Image*>(image); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const DlibPeer* LINEAMENT_PEER() {
  static const DlibPeer peer = {open,        close,         points,     predict,   open_parts,
                                close_parts, predict_parts, make_image, free_image};
  return &peer;
}
