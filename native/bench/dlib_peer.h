// dlib's shape_predictor behind plain functions, so that it can be built several times, each with flags of its own.
#pragma once

#include <cstddef>
#include <cstdint>

struct DlibPeer {
  // Null where the file cannot be read.
  void* (*open)(const char* path);
  void (*close)(void* model);
  int (*points)(void* model);
  // `boxes`: count × (left, top, right, bottom), inclusive. `out`: count × points × (x, y), whole pixels.
  void (*predict)(void* model, void* image, const long* boxes, size_t count, long* out);
  // The same before dlib rounds points to whole pixels: the loop of shape_predictor::operator() around dlib's own
  // functions, on the same serialised model.
  void* (*open_parts)(const char* path);
  void (*close_parts)(void* parts);
  void (*predict_parts)(void* parts, void* image, const long* boxes, size_t count, double* out);
  // A picture as dlib wants it; `pixel` is 1 (grey) or 3 (RGB).
  void* (*make_image)(const uint8_t* pixels, int width, int height, int pixel);
  void (*free_image)(void* image);
};
