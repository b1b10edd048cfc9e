// Redaction: what lib/native/redact.ts describes.
#include <cstring>
#include <string>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "bindings/values.h"
#include "image/redact.h"

namespace lineament::bindings {
namespace {

RedactOptions options_in(const Napi::Value& value) {
  const Napi::Object object = object_in(value, "options");
  const std::string method = string_at(object, "method"), shape = string_at(object, "shape");
  if (method != "pixelate" && method != "blur") throw_invalid(object.Env(), "Unknown method " + method);
  if (shape != "box" && shape != "ellipse") throw_invalid(object.Env(), "Unknown shape " + shape);
  return {method == "blur" ? RedactMethod::kBlur : RedactMethod::kPixelate,
          shape == "box" ? RedactShape::kBox : RedactShape::kEllipse, int_at(object, "blocks")};
}

// (executor, image, regions, options, token)
Napi::Value redact_image(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const ImageView image = image_view(info[1]);
  const auto numbers = array_in<double>(info[2], "regions");
  if (numbers.size % 4 != 0) throw_invalid(info.Env(), "Expected four numbers for each region");
  std::vector<RedactRegion> regions(numbers.size / 4);
  for (size_t i = 0; i < regions.size(); ++i) {
    const double* n = numbers.data + 4 * i;
    regions[i] = {n[0], n[1], n[2], n[3]};
  }
  const RedactOptions options = options_in(info[3]);
  // The bytes are the caller's own, handed over to be written to.
  auto* pixels = const_cast<uint8_t*>(image.data);
  const auto work = [=, regions = std::move(regions)](const CancelToken* token, Nothing*) {
    return redact(pixels, image, regions.data(), regions.size(), options, token);
  };
  return launch<Nothing>(info.Env(), executor, info[4], {info[1], info[1].As<Napi::Object>().Get("data")}, work,
                         give_nothing);
}

}  // namespace

void export_redact(Napi::Object exports) { set_method(exports, "redact", redact_image); }

}  // namespace lineament::bindings
