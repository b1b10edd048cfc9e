// Weights stored in 8 or 16 bits, spelt out as floats before ONNX Runtime reads the model.
//
// Small files keep a weight as `uint8 → Cast → Mul(scale) → Add(minimum)` or `float16 → Cast`. ONNX Runtime folds such
// chains one node at a time, through its general machinery, with copies and renewed passes over the graph; doing the
// same sum here, with the same roundings, takes a few milliseconds, and what the library reads is an ordinary float
// network.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/aligned.h"

namespace lineament {

struct ExpandedModel {
  // The rewritten ModelProto; empty where nothing was found to expand (or the bytes are not a model that is understood
  // completely), and the original is to be used.
  AlignedBuffer<uint8_t> bytes;
  // Chains that were replaced.
  size_t replaced = 0;
  // Bytes of all initializers of the resulting model, 0 where the model was not understood.
  size_t weight_bytes = 0;
};

// Never fails: a model that it does not understand is left alone, for ONNX Runtime to judge. Reads every byte within
// bounds. A chain is replaced only where its values serve nothing else, so that the network means the same.
// Thread-safe.
ExpandedModel expand_model(const uint8_t* model, size_t size);

}  // namespace lineament
