// The best hits of a search so far.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "search/scan.h"

namespace lineament {

// A higher score is better, and of equal scores the smaller key.
inline bool better(const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.key < b.key; }

// Keeps the best `room` of the hits that it is offered, in a heap whose front is the worst of them.
class TopHits {
 public:
  explicit TopHits(size_t room) : room_(room) {}

  bool full() const { return hits_.size() >= room_; }
  double worst() const { return hits_.front().score; }

  // True where the hit was taken.
  bool offer(const Hit& hit) {
    if (full()) {
      if (!better(hit, hits_.front())) return false;
      std::pop_heap(hits_.begin(), hits_.end(), better);
      hits_.back() = hit;
    } else {
      hits_.push_back(hit);
    }
    std::push_heap(hits_.begin(), hits_.end(), better);
    return true;
  }

  // The hits, best first. Empties the heap.
  std::vector<Hit> take() {
    std::sort_heap(hits_.begin(), hits_.end(), better);
    return std::move(hits_);
  }

 private:
  size_t room_;
  std::vector<Hit> hits_;
};

}  // namespace lineament
