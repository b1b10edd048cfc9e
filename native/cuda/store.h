// Rows on one device, and the search over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cuda/device.h"

namespace lineament::cuda {

// Device memory of a store, counted against its limit.
class Memory {
 public:
  Memory(Device& device, uint64_t most) : device_(device), most_(most) {}
  ~Memory() {
    for (const Piece& piece : pieces_) device_.release(piece.at);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  Failure take(size_t bytes, void** at);
  void give_back(void* at);
  uint64_t taken() const { return taken_; }

 private:
  struct Piece {
    void* at;
    size_t bytes;
  };
  Device& device_;
  const uint64_t most_;
  uint64_t taken_ = 0;
  std::vector<Piece> pieces_;
};

// Memory that is given back at the end of a block.
class Loan {
 public:
  explicit Loan(Memory* memory) : memory_(*memory) {}
  ~Loan() { reset(); }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  Failure take(size_t bytes) {
    reset();
    return memory_.take(bytes, &at_);
  }
  // Who calls gives it back.
  uint8_t* keep() { return static_cast<uint8_t*>(std::exchange(at_, nullptr)); }
  void reset() {
    if (at_ != nullptr) memory_.give_back(at_);
    at_ = nullptr;
  }
  uint8_t* data() const { return static_cast<uint8_t*>(at_); }

 private:
  Memory& memory_;
  void* at_ = nullptr;
};

// Calls take turns. What they say: include/lineament_cuda.h.
class Store {
 public:
  Store(std::unique_ptr<Device> device, uint32_t dims, uint32_t width, uint64_t most_bytes);

  uint64_t bytes();
  Failure reserve(uint32_t slots);
  Failure write(const lineament_cuda_rows& rows);
  Failure read(const uint32_t* slots, size_t count, float* vectors);
  Failure search(const lineament_cuda_search& search, lineament_cuda_hit* hits, uint32_t* counts,
                 lineament_cuda_work* work);

 private:
  class Scan;

  Failure enter();
  Failure note(Failure failure);
  Failure add_segments(size_t wanted);
  bool holds(const uint32_t* slots, size_t count) const;
  Rows rows() const { return {static_cast<const SegmentRows*>(table_), shift_, dims_, width_}; }

  std::mutex mutex_;
  const std::unique_ptr<Device> device_;
  const uint32_t dims_, width_;
  uint32_t shift_;
  Memory memory_;
  std::vector<SegmentRows> segments_;
  void* table_ = nullptr;  // the same on the device
  Failure broken_;         // after the device failed nothing is asked of it any more
};

}  // namespace lineament::cuda
