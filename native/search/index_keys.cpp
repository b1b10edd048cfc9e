#include "search/index_keys.h"

#include <new>
#include <utility>

namespace lineament {
namespace {

constexpr size_t kLeast = 16;

// Keys that count up must not fill one stretch: the finaliser of splitmix64.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

size_t KeyMap::home(uint64_t key) const { return static_cast<size_t>(mix(key)) & (entries_.size() - 1); }

bool KeyMap::reserve(size_t count) {
  if (count > (SIZE_MAX / sizeof(Entry)) / 4) return false;
  size_t wanted = entries_.empty() ? kLeast : entries_.size();
  while (wanted / 4 * 3 < count) wanted *= 2;
  if (wanted == entries_.size()) return true;
  std::vector<Entry> old;
  try {
    old.assign(wanted, Entry{kNone, {}});
  } catch (const std::bad_alloc&) {
    return false;
  }
  std::swap(old, entries_);
  size_ = 0;
  for (const Entry& entry : old) {
    if (entry.key != kNone) insert(entry.key, entry.place);
  }
  return true;
}

Place* KeyMap::find(uint64_t key) {
  if (entries_.empty() || key == kNone) return nullptr;
  const size_t mask = entries_.size() - 1;
  for (size_t i = home(key);; i = (i + 1) & mask) {
    if (entries_[i].key == key) return &entries_[i].place;
    if (entries_[i].key == kNone) return nullptr;
  }
}

void KeyMap::insert(uint64_t key, Place place) {
  const size_t mask = entries_.size() - 1;
  size_t i = home(key);
  while (entries_[i].key != kNone) i = (i + 1) & mask;
  entries_[i] = {key, place};
  ++size_;
}

bool KeyMap::erase(uint64_t key) {
  const Place* found = find(key);
  if (found == nullptr) return false;
  const size_t mask = entries_.size() - 1;
  size_t hole = home(key);
  while (entries_[hole].key != key) hole = (hole + 1) & mask;
  for (size_t i = (hole + 1) & mask; entries_[i].key != kNone; i = (i + 1) & mask) {
    // An entry whose home lies (cyclically) after the hole stays: it would not be found before it.
    if (((i - home(entries_[i].key)) & mask) < ((i - hole) & mask)) continue;
    entries_[hole] = entries_[i];
    hole = i;
  }
  entries_[hole].key = kNone;
  --size_;
  return true;
}

}  // namespace lineament
