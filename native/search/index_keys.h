// Which slot holds which key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lineament {

// Where a vector lies: a slot of a segment.
struct Place {
  uint32_t segment = 0;
  uint32_t slot = 0;
  bool operator==(const Place&) const = default;
};

// Open addressing with linear probing and backward shifts instead of tombstones (D. Knuth, The Art of Computer
// Programming, vol. 3, 6.4, algorithm R); 16 bytes an entry, at most three quarters full. Not thread-safe.
class KeyMap {
 public:
  // Any key but this one can be held.
  static constexpr uint64_t kNone = ~uint64_t{0};

  size_t size() const { return size_; }
  size_t bytes() const { return entries_.capacity() * sizeof(Entry); }

  // Room for `count` keys in all without another growth. False when memory ran out; the map is then as it was.
  bool reserve(size_t count);

  // The place of `key`, or null. Valid until the next change.
  Place* find(uint64_t key);
  const Place* find(uint64_t key) const { return const_cast<KeyMap*>(this)->find(key); }

  // `key` must be absent, and room reserved.
  void insert(uint64_t key, Place place);

  // False where it was absent.
  bool erase(uint64_t key);

 private:
  struct Entry {
    uint64_t key;
    Place place;
  };
  size_t home(uint64_t key) const;

  std::vector<Entry> entries_;  // a power of two of them, or none
  size_t size_ = 0;
};

}  // namespace lineament
