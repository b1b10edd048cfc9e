// Any bytes may be handed in as a model: the expansion must stay inside them, and what it writes must be a message that
// reads back, of the size that it announced.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "inference/onnx_expand.h"
#include "inference/protobuf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const lineament::ExpandedModel out = lineament::expand_model(data, size);
  if ((out.replaced == 0) != (out.bytes.size() == 0)) std::abort();
  if (out.replaced == 0) return 0;
  lineament::protobuf::Reader reader({out.bytes.data(), out.bytes.size()});
  lineament::protobuf::Field field;
  size_t total = 0;
  while (reader.next(&field)) total += field.whole.size;
  if (reader.failed() || total != out.bytes.size()) std::abort();
  const lineament::ExpandedModel again = lineament::expand_model(out.bytes.data(), out.bytes.size());
  if (again.weight_bytes != out.weight_bytes) std::abort();
  return 0;
}
